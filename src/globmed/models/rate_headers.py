"""What an endpoint's headers say about how fast it may be asked: from headers to seconds, without any network.

Retry-After: RFC 9110, section 10.2.3; in milliseconds as OpenAI and Azure send it beside that. What is left of a limit,
and when it begins anew: OpenAI's headers, which DeepSeek, Groq, Together, Azure and others send too, Anthropic's,
Mistral's, and those of the IETF draft "RateLimit header fields for HTTP".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

# Under each of these names stand what is left and when there will be more.
_LIMITS = tuple(
    [(f"x-ratelimit-remaining-{what}", f"x-ratelimit-reset-{what}") for what in ("requests", "tokens")]
    + [
        (f"anthropic-ratelimit-{what}-remaining", f"anthropic-ratelimit-{what}-reset")
        for what in ("requests", "tokens", "input-tokens", "output-tokens")
    ]
    + [(f"{name}-remaining", f"{name}-reset") for name in ("x-ratelimit", "ratelimit", "ratelimitbysize")]
)
_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d*)?)s)?(?:(\d+(?:\.\d*)?)ms)?")
_UNIT_SECONDS = (86_400.0, 3600.0, 60.0, 1.0, 0.001)
# A number this large is a point in time, in seconds or milliseconds since 1970.
_EPOCH_SECONDS, _EPOCH_MILLISECONDS = 1e9, 1e11


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Return how long an endpoint asks to wait, or None where it does not say.

    A date is taken against the endpoint's own clock, for ours may be wrong; where it tells no time it says nothing.
    """
    milliseconds = _number(headers.get("retry-after-ms", ""))
    if milliseconds is not None:
        return milliseconds / 1000
    value = headers.get("Retry-After", "").strip()
    if value[:1].isdigit():
        return _number(value)
    try:
        return max(parsedate_to_datetime(value).timestamp() - _now(headers), 0.0)
    except (ValueError, OverflowError):
        return None


def used_up_seconds(headers: Mapping[str, str]) -> float:
    """Return how long nothing more can be had, of a limit that is used up; 0 where something is left of each."""
    waits = [0.0]
    for left, reset in _LIMITS:
        remaining = headers.get(left)
        if remaining is not None and (number := _number(remaining)) is not None and number < 1:
            waits.append(_reset_seconds(headers.get(reset, "").strip(), headers))
    return max(waits)


def _reset_seconds(value: str, headers: Mapping[str, str]) -> float:
    """Read `20ms`, `6m0s`, seconds, a point in time as a number, or one as RFC 3339 writes it; 0 for anything else."""
    number = _number(value)
    if number is not None and number < _EPOCH_SECONDS:
        return number
    if value and (match := _DURATION.fullmatch(value)):
        return sum(float(part or 0) * unit for part, unit in zip(match.groups(), _UNIT_SECONDS, strict=True))
    try:
        if number is None:
            until = datetime.fromisoformat(value).timestamp()
        else:
            until = number / (1000 if number >= _EPOCH_MILLISECONDS else 1)
        return max(until - _now(headers), 0.0)
    except (ValueError, OverflowError):
        return 0.0


def _number(value: str) -> float | None:
    """Return a plain decimal number of at least 0; None for anything else, such as `nan`."""
    return float(value) if re.fullmatch(r"\s*\d{1,15}(\.\d{0,9})?\s*", value, re.ASCII) else None


def _now(headers: Mapping[str, str]) -> float:
    """Return what the endpoint's clock says, in seconds since 1970.

    Raises:
        ValueError: it does not say.
    """
    return parsedate_to_datetime(headers.get("Date", "")).timestamp()
