"""The reference page is what the program says of itself today."""

from pathlib import Path

from globmed.cli.reference import reference


def test_the_reference_page_is_not_stale() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference.md"
    assert page.read_text(encoding="utf-8") == reference(), "run `make docs`"


def test_every_command_has_a_help_text() -> None:
    for part in reference().split("### `globmed")[1:]:
        assert len(part.split("Options:")[0].splitlines()) > 5, part
