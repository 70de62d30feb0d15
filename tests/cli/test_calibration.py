"""Measuring the checks from the command line: JSON for machines, errors in one line."""

import json
from pathlib import Path

import pytest

from globmed.cli.calibration import Files, calibrate
from globmed.core.errors import UsageError


def test_json_has_a_row_a_language(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "en-swa" / "dev.json"
    file.parent.mkdir()
    rows = [{"translation": {"en": f"Fever {number} days", "swa": f"Homa siku {number}"}} for number in range(20, 60)]
    file.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    calibrate([f"lafand={tmp_path}"], Files(page=tmp_path / "quality.md"), as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert [row["language"] for row in found] == ["sw (news)"]
    assert 0 < found[0]["pairs"] < 40


def test_an_unknown_name_says_which_are_known(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'tico19'"):
        calibrate(["tico=x"], Files(page=tmp_path / "quality.md"), as_json=False)
    assert not (tmp_path / "quality.md").exists()
