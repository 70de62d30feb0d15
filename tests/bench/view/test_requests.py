"""Marks for review are kept once, and for good."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from globmed.bench.view import requests
from globmed.bench.view.requests import ReviewRequest, add_request, requests_of, requests_path
from globmed.core.errors import EnvironmentFailedError, InputError
from globmed.core.store import read_jsonl


def request(**changes: Any) -> ReviewRequest:
    values = {
        "item": "made:1/sw",
        "family": "made:1",
        "language": "sw",
        "model": "",
        "reason": "translation",
        "text": "Habari\n“à”",
        "when": "2026-01-01T00:00:00+00:00",
    }
    return msgspec.convert(values | changes, ReviewRequest)


def test_a_mark_is_one_line_and_made_twice_is_one(tmp_path: Path) -> None:
    assert add_request(tmp_path, request())
    assert not add_request(tmp_path, request(when="2027-01-01T00:00:00+00:00"))
    assert add_request(tmp_path, request(reason="key"))
    lines = requests_path(tmp_path).read_text(encoding="utf-8").splitlines()
    assert [msgspec.json.decode(line)["reason"] for line in lines] == ["translation", "key"]
    assert requests_of(tmp_path, "made:1") == [request(), request(reason="key")]
    assert requests_of(tmp_path, "made:2") == []


def test_a_line_that_was_being_written_is_cut_off(tmp_path: Path) -> None:
    add_request(tmp_path, request())
    with requests_path(tmp_path).open("ab") as file:
        file.write(b'{"item":"made:2')
    assert add_request(tmp_path, request(text="second"))
    assert [one.text for one in requests_of(tmp_path, "made:1")] == [request().text, "second"]


def test_marks_made_at_once_are_all_kept_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slowly(path: Path, kind: type[ReviewRequest]) -> list[ReviewRequest]:
        found = list(read_jsonl(path, kind))
        time.sleep(0.02)
        return found

    monkeypatch.setattr(requests, "read_jsonl", slowly)
    marks = [request(text=str(number // 2)) for number in range(40)]
    new = list[bool]()
    threads = [threading.Thread(target=lambda one=one: new.append(add_request(tmp_path, one))) for one in marks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(new) == 20
    assert {one.text for one in requests_of(tmp_path, "made:1")} == {str(number) for number in range(20)}


def test_no_file_is_no_mark_and_none_is_made_by_looking(tmp_path: Path) -> None:
    assert requests_of(tmp_path, "made:1") == []
    assert not requests_path(tmp_path).exists()


def test_a_line_that_is_no_mark_is_named(tmp_path: Path) -> None:
    requests_path(tmp_path).write_text('{"item": 1}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"review_requests\.jsonl:1"):
        add_request(tmp_path, request())


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(EnvironmentFailedError, match="could not be kept"):
        add_request(tmp_path, request())
