"""Serving refuses in one line what it cannot do."""

import sys
from pathlib import Path

import pytest

from globmed.bench.view.serve import serve_view
from globmed.core.errors import InputError, MissingExtraError, UsageError


@pytest.mark.parametrize("absent", ["fastapi", "jinja2", "uvicorn"])
def test_a_missing_extra_names_its_install_command(
    absent: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "globmed.bench.view.app", raising=False)
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(MissingExtraError, match=rf"{absent}.*pip install 'globmed\[review\]'"):
        serve_view([tmp_path], on_ready=print)


def test_no_run_and_no_scored_run_are_refused_before_anything_is_served(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no run given"):
        serve_view([], on_ready=pytest.fail)
    with pytest.raises(InputError, match=r"found no manifest\.json"):
        serve_view([tmp_path], on_ready=pytest.fail)
