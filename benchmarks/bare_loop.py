"""The least that asks a server questions: an aiohttp session, some workers, bodies built, replies parsed, nothing kept.

    python benchmarks/bare_loop.py LINES BASE_URL CONCURRENCY

LINES is a file of `made_questions.write_lines`. This is what `globmed bench run` is measured against: it has no
journal, no retries, no limits, no record of what was asked, and loses everything when it ends.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp

_LETTERS = "ABCD"
# As `globmed bench run` asks in English, so that both send as many bytes.
_PROMPT = """Answer the following multiple-choice question about medicine. Exactly one option is correct. \
End your reply with the line "Answer: X", where X is the letter of that option.

{question}

{options}"""


def bodies(lines: Path) -> Iterator[dict[str, Any]]:
    """Give the body of each request."""
    with lines.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            options = "\n".join(f"{letter}. {text}" for letter, text in zip(_LETTERS, row["choices"], strict=True))
            prompt = _PROMPT.format(question=row["question"], options=options)
            yield {
                "model": "fixed",
                "messages": [{"role": "user", "content": prompt}],
                "max_tokens": 512,
                "temperature": 0.0,
                "seed": 0,
            }


async def ask_all(lines: Path, base_url: str, concurrency: int) -> int:
    """Ask every question; return how many replies had a text."""
    asking, answered = bodies(lines), 0
    url = f"{base_url}/chat/completions"

    async def work(session: aiohttp.ClientSession) -> None:
        nonlocal answered
        for body in asking:
            async with session.post(url, json=body) as response:
                response.raise_for_status()
                reply = await response.json()
            answered += bool(reply["choices"][0]["message"]["content"])

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=concurrency)) as session:
        await asyncio.gather(*(work(session) for _ in range(concurrency)))
    return answered


if __name__ == "__main__":
    print(asyncio.run(ask_all(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))))
