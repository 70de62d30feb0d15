"""What may not leave this machine does not, nor what is made from it: from the item to the endpoint, by the command."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest

from globmed.core.item import Item, Provenance
from globmed.data.pipeline import release_items

MakeData = Callable[..., Path]
LICENCE = "data use agreement of a hospital"


@pytest.fixture
def bound_release(make_data: MakeData, tmp_path: Path) -> Path:
    """A release in which the Swahili items were made from English ones that may not leave the machine."""

    def bound(item: Item) -> Item:
        terms = msgspec.structs.replace(item.provenance, licence=LICENCE, may_leave_machine=False)
        source = msgspec.structs.replace(item, provenance=terms)
        if item.language == "en":
            return source
        machine = Provenance(native_language="en", licence="CC0-1.0", text="machine", model="some-translator")
        return source.made_into(language=item.language, question=item.question, provenance=machine)

    return release_items(make_data(languages=("en", "sw"), change=bound), out=tmp_path / "dataset").folder


@pytest.fixture
def endpoint() -> Iterator[tuple[str, list[bytes]]]:
    """An endpoint on 127.0.0.1, and the bodies that reached it."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            reply = json.dumps({"choices": [{"message": {"content": "A"}, "finish_reason": "stop"}]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", bodies
        server.shutdown()
        thread.join()


def globmed(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "globmed", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.parametrize("language", ["en", "sw"])
def test_neither_an_item_nor_what_was_made_from_it_is_sent(
    bound_release: Path, endpoint: tuple[str, list[bytes]], tmp_path: Path, language: str
) -> None:
    url, bodies = endpoint
    run = ["bench", "run", "--data", str(bound_release), "--language", language, "--out"]
    # A loopback address does not tell whether what stands there passes texts on.
    refused = globmed(*run, tmp_path / "away", "--model", f"api:m@{url}")
    assert refused.returncode == 2
    (line,) = refused.stderr.strip().splitlines()
    for said in (f"made:30/{language}", "source made", LICENCE, "may_leave_machine is false", "not known to be on it"):
        assert said in line
    assert bodies == []
    assert not list(tmp_path.glob("away/replies/*"))

    forwarded = globmed(*run, tmp_path / "cloud", "--model", f"api:gpt-oss:120b-cloud@ollama+{url}")
    assert forwarded.returncode == 2
    assert bodies == []

    here = globmed(*run, tmp_path / "here", "--model", f"api:m@vllm+{url}")
    assert here.returncode == 0, here.stderr
    assert len(bodies) == 24


def test_a_batch_file_of_it_is_not_written(bound_release: Path, tmp_path: Path) -> None:
    run, out = tmp_path / "run", tmp_path / "batch"
    assert globmed("bench", "run", "--data", bound_release, "--model", "chance", "--out", run).returncode == 0
    refused = globmed("bench", "batch", "export", run, "--model", "api:m@https://api.example.org/v1", "--out", out)
    assert refused.returncode == 2
    assert LICENCE in refused.stderr
    assert not out.exists()
