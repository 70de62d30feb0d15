"""Discovery over real packages written to disk."""

from collections.abc import Callable
from itertools import count
from pathlib import Path, PurePosixPath

import pytest

import globmed.data.sources as sources_package
from globmed.core.errors import PluginError
from globmed.core.registry import discover
from globmed.data.sources import Source, sources

Package = Callable[..., str]
NUMBERS = count()
# What the modules under test declare: any type with a name serves.
IMPORT = "from pathlib import PurePosixPath as Plugin\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Write a package of the given modules, under a name of its own, and return that name."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(**modules: str) -> str:
        name = f"discovered_{next(NUMBERS)}"
        folder = tmp_path / name
        folder.mkdir()
        (folder / "__init__.py").touch()
        for module, text in modules.items():
            (folder / f"{module}.py").write_text(IMPORT + text, encoding="utf-8")
        return name

    return write


def test_every_module_is_found_by_its_name(package: Package) -> None:
    found = discover(package(beta="B = Plugin('beta')", alpha="ANY_NAME = Plugin('alpha')"), PurePosixPath)
    assert list(found) == ["alpha", "beta"]
    assert [plugin.name for plugin in found.values()] == ["alpha", "beta"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"alpha\.py: found 0 of PurePosixPath \(none\); expected exactly one, named 'alpha'"),
        ("A = Plugin('alpha')\nB = Plugin('extra')", r"alpha\.py: found 2 of PurePosixPath \(alpha, extra\)"),
        (
            "A = Plugin('Alpha')",
            r"alpha\.py: found a PurePosixPath named 'Alpha'; expected the file's own name, 'alpha'",
        ),
        ("A = [Plugin('alpha')]", r"alpha\.py: found 0 of PurePosixPath"),
    ],
)
def test_a_module_that_declares_nothing_or_twice_or_another_name_stops(package: Package, text: str, says: str) -> None:
    with pytest.raises(PluginError, match=says):
        discover(package(alpha=text, beta="B = Plugin('beta')"), PurePosixPath)


def test_a_module_that_cannot_be_imported_is_not_passed_over(package: Package) -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_module"):
        discover(package(alpha="import no_such_module"), PurePosixPath)


def test_a_package_without_modules_holds_nothing(package: Package) -> None:
    assert discover(package(), PurePosixPath) == {}


def test_another_type_is_not_mistaken_for_a_plugin(package: Package) -> None:
    with pytest.raises(PluginError, match="found 0 of Source"):
        discover(package(alpha="A = Plugin('alpha')"), Source)


def test_the_projects_own_sources_are_found_under_their_files_names() -> None:
    files = Path(sources_package.__path__[0]).glob("*.py")
    assert list(sources()) == sorted(file.stem for file in files if file.stem != "__init__")
