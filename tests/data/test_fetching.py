"""Fetching a source: what is there is left alone, what came is recorded, what a person must do is said."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import hashlib
import json
import re
import shutil
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

import pytest

from globmed.core.errors import EnvironmentFailedError, HashMismatchError, InputError, UsageError
from globmed.core.fetch import Limits
from globmed.data import fetching
from globmed.data.fetching import RECORD, fetch_source
from globmed.data.importing import Wanted, import_sources
from globmed.data.sources import HubFiles, Source, WebFile, source, sources

FIXTURES = Path(__file__).parent / "fixtures"
QUICK = Limits(timeout_seconds=2, attempts=1)
REVISION = "0123456789abcdef0123456789abcdef01234567"


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder with the headers that a Hub client looks for, and notes what was asked for."""

    def end_headers(self) -> None:
        """Add the commit and the etag."""
        path = Path(self.translate_path(self.path))
        cast("Site", self.server).asked.append(self.path)
        self.send_header("X-Repo-Commit", REVISION)
        if path.is_file():
            self.send_header("ETag", f'"{hashlib.sha256(path.read_bytes()).hexdigest()}"')
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class names it
        """Say nothing."""


class Site(ThreadingHTTPServer):
    """A web site whose pages are the files of a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
        self.folder = folder
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def put(self, name: str, data: bytes) -> str:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return f"{self.url}/{name}"

    def put_dataset(self, files: dict[str, bytes]) -> None:
        siblings = [{"rfilename": name, "size": len(data), "blobId": "0" * 40} for name, data in files.items()]
        body = {"id": "owner/name", "sha": REVISION, "private": False, "tags": [], "siblings": siblings}
        self.put(f"api/datasets/owner/name/revision/{REVISION}", json.dumps(body).encode())
        for name, data in files.items():
            self.put(f"datasets/owner/name/resolve/{REVISION}/{name}", data)


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Site]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub-home"))
    (tmp_path / "site").mkdir()
    with Site(tmp_path / "site") as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def declare(monkeypatch: pytest.MonkeyPatch, *downloads: WebFile | HubFiles, **changes: Any) -> Source:
    """Let `mmlu_pro` name these downloads."""
    found = dataclasses.replace(source("mmlu_pro"), downloads=downloads, **changes)
    monkeypatch.setattr(fetching, "source", lambda _name: found)
    return found


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_what_came_is_recorded_and_not_fetched_again(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = WebFile(url=site.put("a.txt", b"alpha"), name="a.txt", sha256=sha256(b"alpha"))
    unknown = WebFile(url=site.put("b.txt", b"beta"), name="deep/b.txt")
    declare(monkeypatch, known, unknown)
    first = fetch_source("mmlu_pro", out=tmp_path / "out")
    assert first.fetched == {"a.txt", "deep/b.txt"}
    assert (first.folder / "deep/b.txt").read_bytes() == b"beta"
    record = json.loads((first.folder / RECORD).read_text(encoding="utf-8"))
    assert record["downloads"][unknown.url] == [
        {
            "name": "deep/b.txt",
            "url": unknown.url,
            "revision": "",
            "sha256": sha256(b"beta"),
            "bytes": 4,
            "day": dt.datetime.now(tz=dt.UTC).date().isoformat(),
        }
    ]
    before = (first.folder / RECORD).read_bytes(), len(site.asked)
    again = fetch_source("mmlu_pro", out=tmp_path / "out")
    assert (again.files, again.fetched) == (first.files, frozenset())
    assert ((first.folder / RECORD).read_bytes(), len(site.asked)) == before


def test_what_was_damaged_or_lost_is_fetched_again(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [WebFile(url=site.put(f"{name}.txt", name.encode()), name=f"{name}.txt") for name in ("a", "b", "c")]
    declare(monkeypatch, *files)
    folder = fetch_source("mmlu_pro", out=tmp_path).folder
    (folder / "a.txt").write_bytes(b"damaged")
    (folder / "c.txt").unlink()
    assert fetch_source("mmlu_pro", out=tmp_path).fetched == {"a.txt", "c.txt"}
    assert [(folder / file.name).read_bytes() for file in files] == [b"a", b"b", b"c"]


def test_a_published_file_that_changed_is_said_and_the_earlier_one_kept(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(monkeypatch, WebFile(url=site.put("a.txt", b"alpha"), name="a.txt"))
    folder = fetch_source("mmlu_pro", out=tmp_path).folder
    site.put("a.txt", b"other")
    assert fetch_source("mmlu_pro", out=tmp_path).fetched == frozenset()  # it is there: nobody asks
    (folder / "a.txt").write_bytes(b"mine")
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    with pytest.raises(HashMismatchError, match=rf"which .*fetched\.json, from {today}, states\. What is published"):
        fetch_source("mmlu_pro", out=tmp_path)
    assert (folder / "a.txt").read_bytes() == b"mine"


def test_a_hash_that_a_later_version_states_is_asked_for(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.put("a.txt", b"alpha")
    declare(monkeypatch, WebFile(url=url, name="a.txt"))
    folder = fetch_source("mmlu_pro", out=tmp_path).folder
    declare(monkeypatch, WebFile(url=url, name="a.txt", sha256=sha256(b"true")))
    with pytest.raises(HashMismatchError, match="which this version of globmed states"):
        fetch_source("mmlu_pro", out=tmp_path)
    site.put("a.txt", b"true")
    assert fetch_source("mmlu_pro", out=tmp_path).fetched == {"a.txt"}
    assert (folder / "a.txt").read_bytes() == b"true"


def test_what_came_before_a_failure_is_kept(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = (WebFile(url=f"{site.url}/{name}.txt", name=f"{name}.txt") for name in ("a", "b"))
    site.put("a.txt", b"alpha")
    declare(monkeypatch, first, second)
    with pytest.raises(EnvironmentFailedError, match=r"b\.txt: the server answered 404"):
        fetch_source("mmlu_pro", out=tmp_path, limits=QUICK)
    site.put("b.txt", b"beta")
    assert fetch_source("mmlu_pro", out=tmp_path).fetched == {"b.txt"}


def test_files_of_the_hub_are_recorded_by_revision(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.put_dataset({"data/x.jsonl": b"{}\n", "data/y.jsonl": b"[]\n", "README.md": b"#"})
    declare(monkeypatch, HubFiles(repository="owner/name", revision=REVISION, patterns=("data/*.jsonl",)))
    first = fetch_source("mmlu_pro", out=tmp_path)
    assert first.fetched == {"data/x.jsonl", "data/y.jsonl"}
    assert {file.revision for file in first.files} == {REVISION}
    assert {file.url for file in first.files} == {"https://huggingface.co/datasets/owner/name"}
    asked = len(site.asked)
    assert fetch_source("mmlu_pro", out=tmp_path).fetched == frozenset()
    assert len(site.asked) == asked
    (first.folder / "data/x.jsonl").write_bytes(b"damaged")
    fetch_source("mmlu_pro", out=tmp_path)
    assert (first.folder / "data/x.jsonl").read_bytes() == b"{}\n"


def test_a_commit_of_the_hub_that_changed_is_said(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.put_dataset({"x.jsonl": b"{}\n"})
    declare(monkeypatch, HubFiles(repository="owner/name", revision=REVISION, patterns=("*.jsonl",)))
    folder = fetch_source("mmlu_pro", out=tmp_path).folder
    site.put_dataset({"x.jsonl": b"[]\n"})
    (folder / "x.jsonl").unlink()
    with pytest.raises(HashMismatchError, match=r"x\.jsonl: found SHA-256 .*The publisher changed a commit"):
        fetch_source("mmlu_pro", out=tmp_path)


def test_what_was_fetched_can_be_imported(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = (FIXTURES / "mmlu_pro" / "test.jsonl").read_bytes()
    declare(monkeypatch, WebFile(url=site.put("test.jsonl", rows), name="data/test.jsonl", sha256=sha256(rows)))
    folder = fetch_source("mmlu_pro", out=tmp_path).folder
    manifest = import_sources([Wanted("mmlu_pro", folder)], out=tmp_path / "dataset")
    assert [(count.read, count.kept) for count in manifest.counts] == [(3, 3)]


def test_a_broken_record_is_said(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, WebFile(url=site.put("a.txt", b"alpha"), name="a.txt"))
    path = fetch_source("mmlu_pro", out=tmp_path).folder / RECORD
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(InputError, match=rf"{re.escape(str(path))}: found .*Remove it: everything is then fetched"):
        fetch_source("mmlu_pro", out=tmp_path)


def test_a_record_that_cannot_be_written_is_said(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    declare(monkeypatch, WebFile(url=site.put("a.txt", b"alpha"), name="a.txt"))
    folder = fetch_source("mmlu_pro", out=tmp_path).folder
    shutil.rmtree(folder)
    (folder / f".{RECORD}.part").mkdir(parents=True)
    with pytest.raises(EnvironmentFailedError, match=r"fetched\.json: could not be written"):
        fetch_source("mmlu_pro", out=tmp_path)


@pytest.mark.parametrize("name", sorted(name for name, one in sources().items() if not one.downloads))
def test_a_source_that_a_person_must_get_says_how(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        fetch_source(name, out=tmp_path)
    found = source(name)
    assert (found.obtain in str(raised.value)) == (not found.procedural)
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_source_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no source named 'medqq'; did you mean 'medqa'"):
        fetch_source("medqq", out=tmp_path)


@pytest.mark.parametrize("name", sorted(name for name, one in sources().items() if one.downloads))
def test_downloads_are_pinned(name: str) -> None:
    found = source(name)
    assert found.may_be_redistributed or found.may_leave_machine
    for one in found.downloads:
        if isinstance(one, HubFiles):
            assert re.fullmatch(r"[^/ ]+/[^/ ]+", one.repository)
            assert re.fullmatch(r"[0-9a-f]{40}", one.revision), one.revision
            assert one.patterns
        else:
            assert one.url.startswith("https://")
            assert not re.search(r"/(main|master|HEAD)/", one.url), "a branch is no revision"
            assert re.fullmatch(r"([0-9a-f]{64})?", one.sha256)
            assert not one.name.startswith(("/", "."))


@pytest.mark.real
@pytest.mark.parametrize("name", ["casimedicos", "pubmedqa"])
def test_the_stated_hashes_are_those_of_the_publishers_files(name: str, real_data: Path) -> None:
    for one in source(name).downloads:
        assert isinstance(one, WebFile)
        (path,) = (real_data / name).rglob(one.name)
        assert sha256(path.read_bytes()) == one.sha256
