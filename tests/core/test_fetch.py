"""Downloads, against a real server on 127.0.0.1 that answers well, wrongly or not at all."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast

import pytest

from globmed.core.errors import EnvironmentFailedError, HashMismatchError, InputError, MissingExtraError
from globmed.core.fetch import Fetched, Limits, download, download_dataset

DATA = bytes(range(256)) * 4000
DIGEST = hashlib.sha256(DATA).hexdigest()
QUICK = Limits(timeout_seconds=0.5, attempts=2, wait_seconds=0.01)
REPOSITORY, REVISION = "owner/name", "0123456789abcdef0123456789abcdef01234567"


class Handler(BaseHTTPRequestHandler):
    """Answers by the path's entry in the server's table, and counts what was asked for."""

    def do_GET(self) -> None:
        server, path = cast("Server", self.server), self.path.partition("?")[0]
        server.asked[path] += 1
        answer = server.answers.get(path, not_there)
        answer(self)

    do_HEAD = do_GET  # noqa: N815 - http.server looks for this name

    def reply(self, data: bytes, *, status: int = 200, length: int | None = None, **headers: str) -> None:
        """Send an answer, of a length that may be a lie."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class names it
        """Say nothing."""


def not_there(handler: Handler) -> None:
    handler.send_error(404)


class Server(ThreadingHTTPServer):
    """A server with a table of answers by path."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Callable[[Handler], object]] = {}
        self.asked: Counter[str] = Counter()
        self.stopping = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def gives(self, path: str, data: bytes, *, status: int = 200, length: int | None = None, **headers: str) -> str:
        self.answers[path] = lambda handler: handler.reply(data, status=status, length=length, **headers)
        return self.url + path

    def hub_dataset(self, files: dict[str, bytes], *, listed: dict[str, bytes] | None = None, lfs: bool = True) -> None:
        """Speak what huggingface_hub asks for: a revision's listing, and each file with its commit and etag."""
        siblings = []
        for name, data in files.items():
            shown = (listed or files)[name]
            digest = hashlib.sha256(shown).hexdigest()
            large = {"lfs": {"sha256": digest, "size": len(shown), "pointerSize": 130}} if lfs else {}
            siblings.append({"rfilename": name, "size": len(shown), "blobId": digest[:40]} | large)
            path = f"/datasets/{REPOSITORY}/resolve/{REVISION}/{name}"
            self.gives(path, data, X_Repo_Commit=REVISION, ETag=f'"{digest}"')
        body = {"id": REPOSITORY, "sha": REVISION, "private": False, "gated": False, "tags": [], "siblings": siblings}
        self.gives(f"/api/datasets/{REPOSITORY}/revision/{REVISION}", json.dumps(body).encode())


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub-home"))
    with Server() as running:
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield running
        running.stopping.set()
        running.shutdown()
        thread.join()


def left_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_good_file_arrives_whole_and_under_its_name(server: Server, tmp_path: Path) -> None:
    url, told = server.gives("/data.bin", DATA), list[tuple[str, int, int | None]]()
    got = download(url, tmp_path, name="a/b.bin", sha256=DIGEST, progress=lambda *told_of: told.append(told_of))
    assert got == Fetched(name="a/b.bin", sha256=DIGEST, bytes=len(DATA))
    assert (tmp_path / "a/b.bin").read_bytes() == DATA
    assert left_in(tmp_path) == ["a/b.bin"]
    assert told[-1] == (url, len(DATA), len(DATA))
    assert len(told) > 1


def test_without_a_known_hash_the_hash_is_told(server: Server, tmp_path: Path) -> None:
    assert download(server.gives("/data.bin", DATA), tmp_path, name="data.bin").sha256 == DIGEST
    assert download(server.gives("/empty", b""), tmp_path, name="empty").bytes == 0


def test_a_wrong_hash_keeps_what_was_there(server: Server, tmp_path: Path) -> None:
    (tmp_path / "data.bin").write_bytes(b"earlier")
    url = server.gives("/data.bin", DATA)
    with pytest.raises(HashMismatchError) as raised:
        download(url, tmp_path, name="data.bin", sha256="0" * 64, limits=QUICK)
    assert str(raised.value).startswith(
        f"{url}: found SHA-256 {DIGEST[:12]}…; expected 000000000000…, which this version"
    )
    assert "\n" not in str(raised.value)
    assert (tmp_path / "data.bin").read_bytes() == b"earlier"
    assert left_in(tmp_path) == ["data.bin"]
    assert server.asked["/data.bin"] == 1  # trying again would bring the same


def cut_off(handler: Handler) -> None:
    handler.reply(DATA[:100_000], length=len(DATA))
    handler.close_connection = True


def cut_off_chunked(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()
    handler.wfile.write(b"fff0\r\n" + DATA[:1000])
    handler.close_connection = True


def hang(handler: Handler) -> None:
    cast("Server", handler.server).stopping.wait(5)


def hang_half_way(handler: Handler) -> None:
    handler.reply(DATA[:100_000], length=len(DATA))
    hang(handler)


def no_http(handler: Handler) -> None:
    handler.wfile.write(b"SSH-2.0-nothing of the kind\r\n")
    handler.close_connection = True


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (cut_off, "the transfer broke off after 100000 of 1024000 bytes"),
        (cut_off_chunked, "could not be fetched: IncompleteRead"),
        (hang, "could not be fetched: timed out. Check the network and the proxy"),
        (hang_half_way, "could not be fetched: timed out"),
        (no_http, "could not be fetched: SSH-2.0"),
        (lambda handler: handler.send_error(500), "answered 500 Internal Server Error. The server failed"),
        (lambda handler: handler.send_error(429), "answered 429 Too Many Requests. The server asks for fewer"),
    ],
)
def test_what_may_pass_is_tried_again_and_then_said(
    server: Server, tmp_path: Path, answer: Callable[[Handler], object], says: str
) -> None:
    server.answers["/data.bin"] = answer
    started = time.monotonic()
    with pytest.raises(EnvironmentFailedError) as raised:
        download(f"{server.url}/data.bin", tmp_path, name="data.bin", sha256=DIGEST, limits=QUICK)
    assert time.monotonic() - started < 4
    assert str(raised.value).startswith(f"{server.url}/data.bin: ")
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)
    assert raised.value.exit_code == 3
    assert server.asked["/data.bin"] == QUICK.attempts
    assert left_in(tmp_path) == []


def test_a_transfer_that_broke_starts_again_from_the_beginning(server: Server, tmp_path: Path) -> None:
    failures: list[Callable[[Handler], object]] = [cut_off, hang_half_way, lambda handler: handler.send_error(503)]

    def fail_first(handler: Handler) -> None:
        if failures:
            failures.pop(0)(handler)
        else:
            handler.reply(DATA)

    server.answers["/data.bin"] = fail_first
    limits = Limits(timeout_seconds=0.5, attempts=4, wait_seconds=0.01)
    download(f"{server.url}/data.bin", tmp_path, name="data.bin", sha256=DIGEST, limits=limits)
    assert (tmp_path / "data.bin").read_bytes() == DATA
    assert server.asked["/data.bin"] == 4


@pytest.mark.parametrize(("status", "says"), [(401, "It needs a login"), (403, "not open to"), (404, "taken away")])
def test_a_refusal_is_said_at_once(server: Server, tmp_path: Path, status: int, says: str) -> None:
    server.answers["/data.bin"] = lambda handler: handler.send_error(status)
    with pytest.raises(EnvironmentFailedError, match=f"the server answered {status} .*{says}"):
        download(f"{server.url}/data.bin", tmp_path, name="data.bin", limits=QUICK)
    assert server.asked["/data.bin"] == 1


@pytest.mark.usefixtures("server")
def test_nobody_there(tmp_path: Path) -> None:
    with Server() as other:
        url = f"{other.url}/data.bin"
    with pytest.raises(EnvironmentFailedError, match=r"could not be fetched: .*refused.*\. Check the network"):
        download(url, tmp_path, name="data.bin", limits=QUICK)


@pytest.mark.parametrize("length", [None, 10])
def test_a_file_over_the_limit_is_refused(server: Server, tmp_path: Path, length: int | None) -> None:
    url = server.gives("/data.bin", DATA) if length is None else f"{server.url}/data.bin"

    def unbounded(handler: Handler) -> None:
        handler.send_response(200)  # no length at all: the content ends with the connection
        handler.end_headers()
        handler.wfile.write(DATA)
        handler.close_connection = True

    if length is not None:
        server.answers["/data.bin"] = unbounded
    limits = Limits(bytes_max=1000, attempts=1)
    with pytest.raises(InputError, match=r"data\.bin: found more than \d+ bytes; expected 1000"):
        download(url, tmp_path, name="data.bin", limits=limits)
    assert left_in(tmp_path) == []


def test_a_redirect_is_followed_to_the_same_kind_of_place_only(server: Server, tmp_path: Path) -> None:
    server.gives("/data.bin", DATA)
    server.gives("/near", b"", status=302, Location=f"{server.url}/data.bin")
    assert download(f"{server.url}/near", tmp_path, name="data.bin", sha256=DIGEST).bytes == len(DATA)
    server.gives("/far", b"", status=302, Location="http://example.org/data.bin")
    with pytest.raises(InputError, match=r"/far led to http://example\.org/data\.bin: found the scheme 'http'"):
        download(f"{server.url}/far", tmp_path, name="data.bin", limits=QUICK)
    server.gives("/disk", b"", status=302, Location="file:///etc/passwd")
    with pytest.raises(EnvironmentFailedError, match=r"/disk: the server answered 302 .*file:///etc/passwd.*by hand"):
        download(f"{server.url}/disk", tmp_path, name="data.bin", limits=QUICK)
    assert server.asked["/far"] == server.asked["/disk"] == 1


@pytest.mark.parametrize("url", ["http://example.org/a", "ftp://example.org/a", "file:///etc/passwd", "example.org"])
def test_an_address_that_is_not_safe_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(InputError, match=r"found the scheme '.*'; expected an https address"):
        download(url, tmp_path, name="data.bin", limits=QUICK)


def test_another_machine_may_not_lead_to_this_one() -> None:
    from globmed.core.fetch import _check_address

    with pytest.raises(InputError, match="found an address of this machine; expected an https address"):
        _check_address("http://127.0.0.1:8080/admin", came_from="https://example.org/data")
    _check_address("https://cdn.example.org/data", came_from="https://example.org/data")


@pytest.mark.parametrize("name", ["../out.bin", "/etc/out.bin", "a/../../out.bin", ""])
def test_a_name_that_leads_elsewhere_is_refused(server: Server, tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="found a name that leads elsewhere; expected a path below"):
        download(server.gives("/data.bin", DATA), tmp_path, name=name)


def test_the_proxy_of_the_environment_is_asked(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Server() as gone:
        monkeypatch.setenv("http_proxy", server.url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        url = f"{gone.url}/data.bin"
        server.answers[gone.url + "/data.bin"] = lambda handler: handler.reply(DATA)
        assert download(url, tmp_path, name="data.bin", sha256=DIGEST, limits=QUICK).bytes == len(DATA)


def test_a_full_disk_is_said_and_leaves_nothing(server: Server, tmp_path: Path) -> None:
    """A limit on file size stands in for a full disk: the write fails in the same place, with an OSError."""
    url = server.gives("/data.bin", DATA)
    child = f"""
        import resource
        from pathlib import Path
        from globmed.core.errors import GlobmedError
        from globmed.core.fetch import download
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        try:
            download({url!r}, Path({str(tmp_path)!r}), name="data.bin")
        except GlobmedError as error:
            print(error.exit_code, error)
        """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(child)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.startswith(f"3 {tmp_path / 'data.bin'}: could not be written: File too large"), done
    assert left_in(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_said(server: Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EnvironmentFailedError, match=r"file/data\.bin: could not be written: "):
        download(server.gives("/data.bin", DATA), tmp_path / "file", name="data.bin")


FILES = {"data/en/test.jsonl": DATA, "data/es/test.jsonl": DATA[:1000], "README.md": b"# card"}


@pytest.mark.parametrize("lfs", [True, False])
def test_a_datasets_files_arrive_by_their_patterns(server: Server, tmp_path: Path, lfs: bool) -> None:
    server.hub_dataset(FILES, lfs=lfs)
    told: list[tuple[str, int, int | None]] = []
    got = download_dataset(
        REPOSITORY, REVISION, patterns=["data/*.jsonl"], folder=tmp_path / "x", progress=lambda *at: told.append(at)
    )
    assert [(one.name, one.bytes) for one in got] == [("data/en/test.jsonl", len(DATA)), ("data/es/test.jsonl", 1000)]
    assert got[0].sha256 == DIGEST
    assert (tmp_path / "x/data/en/test.jsonl").read_bytes() == DATA
    assert not (tmp_path / "x/README.md").exists()
    assert told == [(REPOSITORY, 0, 2), (REPOSITORY, 1, 2)]


def test_a_dataset_file_that_is_not_as_listed_is_refused(server: Server, tmp_path: Path) -> None:
    other = DATA[:-1] + b"x"
    server.hub_dataset({"data.bin": other}, listed={"data.bin": DATA})
    with pytest.raises(HashMismatchError, match=r"owner/name: data\.bin: found 1024000 bytes .*the Hub's listing says"):
        download_dataset(REPOSITORY, REVISION, patterns=["*"], folder=tmp_path)
    assert not (tmp_path / "data.bin").exists()


def test_a_dataset_without_such_files_is_said(server: Server, tmp_path: Path) -> None:
    server.hub_dataset(FILES)
    with pytest.raises(InputError, match=r"owner/name at 0123456 .* found 3 files, none of them like \*\.parquet"):
        download_dataset(REPOSITORY, REVISION, patterns=["*.parquet"], folder=tmp_path)


def test_a_file_of_a_dataset_may_not_lead_elsewhere(server: Server, tmp_path: Path) -> None:
    server.hub_dataset({"../../out.bin": DATA})
    with pytest.raises(InputError, match="leads elsewhere"):
        download_dataset(REPOSITORY, REVISION, patterns=["*"], folder=tmp_path / "a")


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        (404, "RepoNotFound", "not there, or not without logging in"),
        (404, "RevisionNotFound", "not there, or not without logging in"),
        (403, "GatedRepo", "Accept them at https://huggingface.co/datasets/owner/name, run `hf auth login`"),
        (400, "", "could not be fetched: "),
    ],
)
def test_what_the_hub_refuses_is_said_in_one_line(
    server: Server, tmp_path: Path, status: int, code: str, says: str
) -> None:
    server.gives(f"/api/datasets/{REPOSITORY}/revision/{REVISION}", b"{}", status=status, X_Error_Code=code)
    with pytest.raises(EnvironmentFailedError) as raised:
        download_dataset(REPOSITORY, REVISION, patterns=["*"], folder=tmp_path)
    assert str(raised.value).startswith("owner/name at 0123456 on the Hugging Face Hub: ")
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_hub_over_plain_http_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.example.org")
    with pytest.raises(InputError, match="expected an https address"):
        download_dataset(REPOSITORY, REVISION, patterns=["*"], folder=tmp_path)


def test_without_huggingface_hub_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'globmed\[hub\]'"):
        download_dataset(REPOSITORY, REVISION, patterns=["*"], folder=tmp_path)
