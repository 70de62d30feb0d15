"""What headers say about waiting: every form that endpoints send, and none that breaks the reader."""

import datetime as dt
import math
import time
from email.utils import format_datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from globmed.models.rate_headers import retry_after_seconds, used_up_seconds

DATE = "Thu, 21 Aug 2025 12:40:00 GMT"
SINCE_1970 = dt.datetime(2025, 8, 21, 12, 40, tzinfo=dt.UTC).timestamp()

# What occurs in such headers, and pieces of it.
texts = (
    st.text(max_size=30)
    | st.text(alphabet="0123456789.dhms:-+TZ GMTeE,inf", max_size=30)
    | st.floats().map(str)
    | st.integers(-(10**20), 10**20).map(str)
    | st.datetimes(timezones=st.just(dt.UTC)).map(lambda one: format_datetime(one, usegmt=True))
    | st.datetimes().map(dt.datetime.isoformat)
    | st.sampled_from(["", "-1", "0", "nan", "inf", "1e9", "½", "²", "٣", "9" * 400, "9" * 400 + "s", DATE, DATE[:-4]])
)
names = st.sampled_from(
    ["Retry-After", "retry-after-ms", "Date"]
    + [
        name
        for what in ("requests", "tokens")
        for name in (
            f"x-ratelimit-remaining-{what}",
            f"x-ratelimit-reset-{what}",
            f"anthropic-ratelimit-{what}-remaining",
            f"anthropic-ratelimit-{what}-reset",
        )
    ]
    + ["x-ratelimit-remaining", "x-ratelimit-reset", "ratelimitbysize-remaining", "ratelimitbysize-reset"]
)


@given(st.dictionaries(names, texts))
def test_no_header_raises_and_no_wait_is_negative(headers: dict[str, str]) -> None:
    wait_seconds = retry_after_seconds(headers)
    assert wait_seconds is None or wait_seconds >= 0
    assert used_up_seconds(headers) >= 0


@given(st.dictionaries(names, texts), texts)
def test_what_is_left_is_never_waited_for(headers: dict[str, str], reset: str) -> None:
    full = {name: "5" if "remaining" in name else value for name, value in headers.items()}
    assert used_up_seconds({**full, "x-ratelimit-reset-requests": reset}) == 0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "7"}, 7.0),
        ({"Retry-After": " 0.25 "}, 0.25),
        ({"Retry-After": "0"}, 0.0),
        ({"retry-after-ms": "20"}, 0.02),
        ({"retry-after-ms": "1500.5", "Retry-After": "2"}, 1.5005),
        ({"retry-after-ms": "soon", "Retry-After": "2"}, 2.0),
        ({"Retry-After": "Thu, 21 Aug 2025 12:40:30 GMT", "Date": DATE}, 30.0),
        # What is over is not waited for.
        ({"Retry-After": "Thu, 21 Aug 2025 12:39:30 GMT", "Date": DATE}, 0.0),
        ({"Retry-After": "Fri, 31 Dec 1999 23:59:59 GMT"}, None),
        ({"Retry-After": "-3"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "1e9"}, None),
        ({"Retry-After": "Thu, 99 Aug 2025 12:40:30 GMT"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
    ],
)
def test_retry_after(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after_seconds(headers) == seconds


@pytest.mark.parametrize("clock", ["Thu, 21 Aug 2025 12:40:00 GMT", "", "yesterday"])
def test_our_own_clock_decides_nothing(monkeypatch: pytest.MonkeyPatch, clock: str) -> None:
    """It may jump, or be hours off."""

    def fail() -> float:
        raise AssertionError

    monkeypatch.setattr(time, "time", fail)
    headers = {
        "Retry-After": "Thu, 21 Aug 2025 12:40:30 GMT",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": f"{SINCE_1970 + 40:.0f}",
        **({"Date": clock} if clock else {}),
    }
    told = clock == DATE
    assert (retry_after_seconds(headers), used_up_seconds(headers)) == ((30, 40) if told else (None, 0))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        # OpenAI, and Groq with its limit of a day.
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "12ms"}, 0.012),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, 360.0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1m26.4s"}, 86.4),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1h2m3s"}, 3723.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1d2h"}, 93_600.0),
        # Azure.
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "24"}, 24.0),
        # Anthropic, in the endpoint's own time.
        (
            {
                "anthropic-ratelimit-input-tokens-remaining": "0",
                "anthropic-ratelimit-input-tokens-reset": "2025-08-21T12:40:59Z",
                "Date": DATE,
            },
            59.0,
        ),
        (
            {
                "anthropic-ratelimit-requests-remaining": "0",
                "anthropic-ratelimit-requests-reset": "2025-08-21T14:41:00+02:00",
                "Date": DATE,
            },
            60.0,
        ),
        # Mistral, Together, and the IETF draft.
        ({"ratelimitbysize-remaining": "0", "ratelimitbysize-reset": "24"}, 24.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "3"}, 3.0),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "8"}, 8.0),
        # OpenRouter: a point in time, in seconds or milliseconds since 1970.
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{SINCE_1970 + 40:.0f}", "Date": DATE}, 40.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{1000 * SINCE_1970 + 40_000:.0f}", "Date": DATE}, 40.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": f"{SINCE_1970 - 40:.0f}", "Date": DATE}, 0.0),
        # Of several limits the one that is used up, and of those the longest.
        (
            {
                "x-ratelimit-remaining-requests": "4999",
                "x-ratelimit-reset-requests": "1m0s",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": "2s",
                "x-ratelimit-remaining": "0",
                "x-ratelimit-reset": "3",
            },
            3.0,
        ),
        # Azure was seen to send these.
        ({"x-ratelimit-remaining-tokens": "-1", "x-ratelimit-reset-tokens": "60"}, 0.0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "-60"}, 0.0),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "tomorrow"}, 0.0),
        ({"x-ratelimit-remaining-tokens": "0"}, 0.0),
        ({"x-ratelimit-reset-tokens": "60"}, 0.0),
        ({}, 0.0),
    ],
)
def test_a_limit_that_is_used_up(headers: dict[str, str], seconds: float) -> None:
    assert used_up_seconds(headers) == pytest.approx(seconds)


@given(st.integers(0, 400), st.integers(0, 23), st.integers(0, 59), st.integers(0, 59), st.integers(0, 999))
def test_a_duration_is_the_sum_of_its_parts(days: int, hours: int, minutes: int, seconds: int, ms: int) -> None:
    parts = [(days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"), (ms, "ms")]
    written = "".join(f"{number}{unit}" for number, unit in parts if number)
    assume(written)
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": written}
    total = dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=ms).total_seconds()
    assert math.isclose(used_up_seconds(headers), total, rel_tol=1e-9)


@given(st.integers(0, 10**6), st.integers(0, 4 * 10**9))
def test_a_date_is_as_good_as_the_seconds_until_it(seconds: int, now_since_1970: int) -> None:
    now = dt.datetime.fromtimestamp(now_since_1970, dt.UTC)
    until = format_datetime(now + dt.timedelta(seconds=seconds), usegmt=True)
    assert retry_after_seconds({"Retry-After": until, "Date": format_datetime(now, usegmt=True)}) == seconds
