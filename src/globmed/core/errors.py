"""Every error that globmed raises on purpose, drawn as one tree, each with its exit code.

    GlobmedError
    ├── CheckFailedError       1    the work found what it was told to fail on
    │   └── LimitReachedError  1    a limit of money, tokens or time that the work was given; what was done is kept
    ├── UsageError             2    a wrong argument, an unknown name, an impossible combination
    ├── InputError             2    a file or record that is not what it should be
    │   ├── HashMismatchError  2    a file that changed after its manifest was written
    │   └── TermsError         2    the terms of use of an item forbid what was asked
    ├── PluginError            2    a plugin module that declares nothing, or twice
    ├── EnvironmentFailedError 3    disk, network, permission, a lock held by another process
    │   └── MissingExtraError  3    an optional dependency is not installed
    └── InterruptedRunError    130  stopped by SIGINT or SIGTERM; what was done is kept

An error's text names the place, what was found, what was expected and how to mend it, in one line: what stands in
somebody's file may hold line breaks and terminals' control characters, which are escaped.
A model call that failed is not an error but a status of its reply (`globmed.models.client.Reply`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import ClassVar

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class GlobmedError(Exception):
    """The root of the tree; `exit_code` is what the command line exits with."""

    exit_code: ClassVar[int] = 2

    def __init__(self, text: str) -> None:
        super().__init__(_CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text))


class CheckFailedError(GlobmedError):
    """The work was done and found what it was told to fail on."""

    exit_code = 1


class LimitReachedError(CheckFailedError):
    """A limit of money, tokens, requests or time that the work was given; what was done so far is kept."""


class UsageError(GlobmedError):
    """A wrong argument, an unknown name or an impossible combination of options."""


class InputError(GlobmedError):
    """A file or record that is not what it should be; the text names file and line or key."""

    @classmethod
    def at(cls, place: str, *, found: str, expected: str, remedy: str = "") -> InputError:
        """Build the one line that every input error has.

        Args:
            place: where, as `file:line`, `file: key` or a folder.
            found: what stands there.
            expected: what should.
            remedy: what to do about it; empty where `expected` already says so.
        """
        text = f"{place}: found {found}; expected {expected}"
        return cls(f"{text}. {remedy}" if remedy else text)


class HashMismatchError(InputError):
    """A file's content is not what its manifest recorded."""


class TermsError(InputError):
    """The terms of use of an item forbid what was asked."""


class PluginError(GlobmedError):
    """A plugin module declares nothing, declares twice, or under another name than its file's."""


class EnvironmentFailedError(GlobmedError):
    """The machine failed, not the work: disk, network, permission, a lock held elsewhere."""

    exit_code = 3


class MissingExtraError(EnvironmentFailedError):
    """An optional dependency is not installed; the text names the install command."""

    @classmethod
    def for_extra(cls, extra: str, module: str) -> MissingExtraError:
        """Say which extra brings `module` and how to install it."""
        return cls(f"this needs the package {module!r}, which is not installed. Run: pip install 'globmed[{extra}]'")


class InterruptedRunError(GlobmedError):
    """Stopped by SIGINT or SIGTERM; what was done so far is kept."""

    exit_code = 130


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `"; did you mean 'x'?"` for the nearest known name, or all known names where none is near."""
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(names)}"
