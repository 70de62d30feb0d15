"""What holds for every glossary, and what checks are given of one."""

from importlib import import_module
from pathlib import Path

import pytest

from globmed.core.errors import InputError, UsageError
from globmed.core.language import languages
from globmed.data.glossaries import Term, accepted_translations, glossaries, read_glossary


def test_the_glossaries_there_are() -> None:
    assert list(glossaries()) == ["table", "tico19"]
    assert all(set(one.languages) <= languages().keys() for one in glossaries().values())


@pytest.mark.parametrize("name", glossaries())
def test_a_glossary_module_opens_with_what_it_is(name: str) -> None:
    text = import_module(f"globmed.data.glossaries.{name}").__doc__ or ""
    for word in ("Home:", "Revision:", "Licence:", "Citation:", glossaries()[name].url, "    {"):
        assert word in text, word


@pytest.mark.parametrize("name", glossaries())
def test_a_path_that_is_not_there_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="found no such file or folder"):
        read_glossary(f"{name}={tmp_path / 'gone'}", "en", "sw")


@pytest.mark.parametrize(
    ("wanted", "source", "target", "says"),
    [
        ("tico=x", "en", "sw", "no glossary named 'tico'; did you mean 'tico19'?"),
        ("tico19=x", "en", "swa", "language 'swa' is not in the table"),
        ("tico19=x", "eng", "sw", "language 'eng' is not in the table"),
    ],
)
def test_an_unknown_name_is_refused(wanted: str, source: str, target: str, says: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_glossary(wanted, source, target)
    assert says in str(raised.value)


def test_a_term_of_several_rows_has_several_accepted_translations() -> None:
    terms = [
        Term(source=source, target=target, place="") for source, target in [("Mask", "a"), ("mask", "b"), ("mask", "a")]
    ]
    assert accepted_translations(terms) == {"mask": ("a", "b")}
