"""An item into the messages a model sees: texts `<name>/<language>.txt`, used by benchmark and training alike.

A text that is the same whatever the language, such as an instruction in English to whoever translates, stands once, in
`<name>/any.txt`.

A file's first lines that start with `#` say who wrote it and whether a native speaker has reviewed it; they are no part
of the prompt and of its hash. A placeholder in braces that ends its line, be it alone or after a label such as
"Premise:", takes that line, and the empty line after it, away with it when its text is empty.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

from globmed.core.errors import InputError
from globmed.core.item import Item
from globmed.core.language import languages

LETTERS = "ABCDEFGHIJ"
"""Labels of lettered options; MMLU-Pro has up to ten."""

_ANY = "any.txt"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """One prompt text in one language.

    Attributes:
        name: folder it stands in, such as `mcqa`.
        language: BCP 47 code.
        body: the text with placeholders in braces.
        header: who wrote it and who reviewed it.
    """

    name: str
    language: str
    body: str
    header: str

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the body, 16 hexadecimal digits."""
        return hashlib.sha256(self.body.encode()).hexdigest()[:16]

    @cached_property
    def placeholders(self) -> frozenset[str]:
        """Names that `render` must be given."""
        return frozenset(_PLACEHOLDER.findall(self.body))

    def render(self, **fields: str) -> str:
        """Fill in the placeholders; text that itself holds braces is left as it is.

        Raises:
            InputError: a placeholder of the file is not among `fields`.
        """
        missing = sorted(self.placeholders - fields.keys())
        if missing:
            place = f"prompts/{self.name}/{self.language}.txt"
            raise InputError.at(
                place, found=f"the placeholder {{{missing[0]}}}", expected=f"only {{{'}, {'.join(sorted(fields))}}}"
            )
        parts = _parts(self.body, tuple(name for name, text in fields.items() if not text))
        return "".join(fields[part] if index % 2 else part for index, part in enumerate(parts))


@cache
def _parts(body: str, empty: tuple[str, ...]) -> tuple[str, ...]:
    """Return a prompt's text cut at its placeholders, whose names stand at odd places; empty lines are gone."""
    for name in empty:
        body = re.sub(rf"^[^{{}}\n]*\{{{re.escape(name)}\}}\n\n?", "", body, flags=re.MULTILINE)
    return tuple(_PLACEHOLDER.split(body))


@cache
def load(name: str, language: str) -> Prompt:
    """Read one prompt: the text of its language, or the one for any language.

    Raises:
        InputError: there is no such file; the text says which one to add.
    """
    path = _file(name, language)
    if not path.is_file():
        place = f"prompts/{name}/{language}.txt"
        raise InputError.at(place, found="no such file", expected="a prompt in this language", remedy="Add it")
    lines = path.read_text(encoding="utf-8").splitlines()
    header = [line for line in lines if line.startswith("#")]
    body = lines[len(header) :]
    return Prompt(
        name=name,
        language=path.name.removesuffix(".txt"),
        body="\n".join(body),
        header=" ".join(line.lstrip("# ") for line in header),
    )


def render_item(item: Item, name: str, *, language: str = "", closed_book: bool = False) -> str:
    """Write an item with a prompt.

    Args:
        item: of any kind; what the prompt has no placeholder for is left out.
        name: name of the prompt, such as `mcqa`.
        language: of the prompt; default: the item's own.
        closed_book: leave the item's context out.
    """
    options = "\n".join(f"{letter}. {option}" for letter, option in zip(LETTERS, item.options, strict=False))
    return load(name, language or item.language).render(
        context="" if closed_book else item.context,
        question=item.question,
        options=options,
        labels=" / ".join(item.options),
    )


def names() -> list[str]:
    """Return the names of all prompts, sorted."""
    folders = (entry.name for entry in files(__name__).iterdir() if entry.is_dir())
    return sorted(name for name in folders if not name.startswith("_"))


def gaps(wanted: Sequence[str] = ()) -> list[str]:
    """Return the prompt files that are missing for the given languages (default: all in the table)."""
    codes = wanted or list(languages())
    return [f"prompts/{name}/{code}.txt" for name in names() for code in codes if not _file(name, code).is_file()]


def _file(name: str, language: str) -> Traversable:
    folder = files(__name__).joinpath(name)
    own, common = folder.joinpath(f"{language}.txt"), folder.joinpath(_ANY)
    return common if common.is_file() and not own.is_file() else own
