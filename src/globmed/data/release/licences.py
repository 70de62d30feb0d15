"""Licences by the short names that the Hugging Face Hub and SPDX know them by."""

from __future__ import annotations

import re
from collections.abc import Collection

_SPDX = {
    "apache-2.0": "Apache-2.0",
    "mit": "MIT",
    "cc0-1.0": "CC0-1.0",
    "cc-by-4.0": "CC-BY-4.0",
    "cc-by-sa-4.0": "CC-BY-SA-4.0",
    "cc-by-nc-4.0": "CC-BY-NC-4.0",
    "cc-by-nc-sa-4.0": "CC-BY-NC-SA-4.0",
    "cc-by-nc-nd-4.0": "CC-BY-NC-ND-4.0",
}
OTHER = "other"


def hub_name(licences: Collection[str]) -> str:
    """Return the Hub's name of the one licence that holds for all, or `other`."""
    names = {re.sub(r"[\s_]+", "-", licence.strip().lower()) for licence in licences}
    (name,) = names if len(names) == 1 else (OTHER,)
    return name if name in _SPDX else OTHER


def address(licence: str) -> str:
    """Return the page of a licence that SPDX knows, or the licence's words as they are."""
    spdx = _SPDX.get(hub_name([licence]))
    return f"https://spdx.org/licenses/{spdx}.html" if spdx else licence
