"""XML as a tree of elements that know their line: UTF-8, read by expat with document types and entities refused.

A document type is where a file can define entities that expand without end or name files of this machine; no
publisher's file read here has one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn
from xml.parsers import expat

from globmed.core.errors import EnvironmentFailedError, InputError


@dataclass(kw_only=True)
class Element:
    """An element: its name, attributes, first line, the text directly inside it, and the elements inside it."""

    name: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def named(self, *names: str) -> Iterator[Element]:
        """Give the elements directly inside that have one of these names, in order."""
        return (child for child in self.children if child.name in names)


def read_xml(path: Path) -> Element:
    """Read a file and return its root.

    Raises:
        InputError: it is no well-formed XML in UTF-8, or has a document type; the text names file and line.
        EnvironmentFailedError: the file cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise EnvironmentFailedError(f"{path}: could not be read: {error.strerror or error}") from error
    builder = _Builder(path)
    try:
        builder.parser.Parse(data, True)  # noqa: FBT003  (it takes no keyword)
    except expat.ExpatError as error:
        raise InputError.at(
            f"{path}:{error.lineno}",
            found=f"broken XML ({expat.ErrorString(error.code)})",
            expected="whole XML in UTF-8",
            remedy="Fetch the file again: it may have been cut off or edited",
        ) from error
    return builder.root.children[0]


class _Builder:
    """Puts the tree together from what expat calls."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.root = Element(name="", attributes={}, line=0)
        self._open = [self.root]
        self.parser = expat.ParserCreate("UTF-8")
        self.parser.buffer_text = True
        self.parser.StartDoctypeDeclHandler = self._refuse
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        element = Element(name=name, attributes=attributes, line=self.parser.CurrentLineNumber)
        self._open[-1].children.append(element)
        self._open.append(element)

    def _end(self, _name: str) -> None:
        self._open.pop()

    def _text(self, text: str) -> None:
        self._open[-1].text += text

    def _refuse(self, name: str, *_rest: object) -> NoReturn:
        raise InputError.at(
            f"{self.path}:{self.parser.CurrentLineNumber}",
            found=f"a document type, {name}",
            expected="none, for it could define entities that expand without end",
            remedy="Fetch the publisher's file again",
        )
