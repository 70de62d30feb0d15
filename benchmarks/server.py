"""A chat server that answers at once and costs next to nothing, so that a measurement sees the asking side alone.

It speaks just enough HTTP/1.1 for any OpenAI-compatible client on 127.0.0.1: every POST gets the same reply, over
connections that stay open. It reads a body's length and nothing else of it; clients that send a next request before
the reply to the last one (pipelining) are not served. GET /count says how many POSTs came and how many of their bodies
were different, so that a script can check that everything was asked, and asked once.

    python benchmarks/server.py [--port 0] [--core 0]

The first line it prints is its port. It runs until it gets SIGTERM.
"""

from __future__ import annotations

import argparse
import asyncio
import json

from measuring import stay_on

REPLY_TEXT = "ANSWER: A"
_HEADER_END = b"\r\n\r\n"


def _response(body: bytes) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


COMPLETION = _response(
    json.dumps(
        {
            "id": "chatcmpl-0",
            "object": "chat.completion",
            "created": 1700000000,
            "model": "fixed",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": REPLY_TEXT},
                    "logprobs": None,
                    "finish_reason": "stop",
                }
            ],
            "usage": {
                "prompt_tokens": 120,
                "completion_tokens": 4,
                "total_tokens": 124,
                "prompt_tokens_details": {"cached_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 0},
            },
        }
    ).encode()
)


class Asked:
    """What came to the server so far: its POSTs, and the hashes of their bodies."""

    def __init__(self) -> None:
        self.requests = 0
        self.bodies: set[int] = set()

    def response(self) -> bytes:
        """Return the answer to GET /count."""
        return _response(json.dumps({"requests": self.requests, "distinct": len(self.bodies)}).encode())


class Connection(asyncio.Protocol):
    """One connection; holds the bytes of the request that is coming in."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport to answer on."""
        assert isinstance(transport, asyncio.Transport)
        self._write = transport.write

    def data_received(self, data: bytes) -> None:
        """Answer as soon as the whole request is there."""
        received = self._received + data if self._received else data
        head_end = received.find(_HEADER_END)
        body = received[head_end + len(_HEADER_END) :]
        if head_end < 0 or len(body) < _content_length(received[:head_end]):
            self._received = received
            return
        self._received = b""
        if received.startswith(b"POST "):
            self._asked.requests += 1
            self._asked.bodies.add(hash(body))
            self._write(COMPLETION)
        else:
            self._write(self._asked.response())


def _content_length(head: bytes) -> int:
    lowered = head.lower()
    start = lowered.find(b"content-length:")
    return int(lowered[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0


async def serve(port: int) -> None:
    """Answer on 127.0.0.1 until the process is ended."""
    asked = Asked()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(asked), "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=0, help="0 for any that is free")
    parser.add_argument("--core", type=int, help="stay on this core")
    options = parser.parse_args()
    if options.core is not None:
        stay_on(options.core)
    asyncio.run(serve(options.port))
