"""Downloads of single files and of files of a Hugging Face dataset: the one network client in core.

A file is streamed to a hidden name beside its place and renamed when it is whole and its SHA-256 is what it should be,
so that what stands under its own name is never a part of a file. A transfer that breaks starts again from the
beginning. Proxies are taken from the environment (`https_proxy`, `no_proxy`), certificates from where OpenSSL has them
(`SSL_CERT_FILE`), the Hub's address and token from `HF_ENDPOINT` and `HF_TOKEN`.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from globmed import __version__
from globmed.core.errors import EnvironmentFailedError, HashMismatchError, InputError, MissingExtraError
from globmed.core.store import file_hash

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

Progress = Callable[[str, int, int | None], None]
"""Told of what is fetched, how much of it is there and how much there is in all, if known: bytes of a file, or files
of a repository."""

LOOPBACK = {"127.0.0.1", "::1", "localhost"}
CHUNK_BYTES = 1 << 18
AGAIN = "Run the same command again; if it goes on, fetch the file by hand"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How long and how much.

    Attributes:
        bytes_max: a file larger than this is refused.
        timeout_seconds: how long a server may keep silent.
        attempts: how often a transfer is tried, where trying again may help.
        wait_seconds: before the second attempt; twice that before the third, and so on.
    """

    bytes_max: int = 4 << 30
    timeout_seconds: float = 30.0
    attempts: int = 3
    wait_seconds: float = 2.0


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A file that was downloaded.

    Attributes:
        name: path below the folder fetched into, with forward slashes.
        sha256: of its content, hexadecimal.
        bytes: its size.
    """

    name: str
    sha256: str
    bytes: int


class _PassingError(EnvironmentFailedError):
    """A failure that may be gone the next time."""


def download(
    url: str,
    folder: Path,
    *,
    name: str,
    sha256: str = "",
    stated_by: str = "this version of globmed",
    limits: Limits = DEFAULT_LIMITS,
    progress: Progress | None = None,
) -> Fetched:
    """Download one file to `folder / name`, in place of what stands there.

    Args:
        url: where; `https`, or `http` on this machine.
        folder: the folder fetched into, made where it is missing.
        name: path below it.
        sha256: what the content must hash to; empty where that is not known.
        stated_by: who says so, for the error's text.
        limits: bounds of time and size.
        progress: told of the bytes as they come.

    Raises:
        HashMismatchError: the content is another.
        InputError: the address is not one to fetch from, the name leads out of the folder, or the file is too large.
        EnvironmentFailedError: network, server or disk failed, or the server refuses; the text says what to do.
    """
    path = _inside(folder, name)
    for attempt in range(limits.attempts):
        try:
            with _opened(url, limits) as response, replacing(path) as part:
                found = _copied(response, part, url, limits, progress)
                if sha256 and found.sha256 != sha256:
                    raise HashMismatchError(
                        f"{url}: found SHA-256 {found.sha256[:12]}…; expected {sha256[:12]}…, which {stated_by} "
                        "states. What is published there changed or was tampered with on the way: compare it with the "
                        "publisher's own statement before using it"
                    )
        except _PassingError:
            if attempt + 1 == limits.attempts:
                raise
            time.sleep(limits.wait_seconds * 2**attempt)
        else:
            return Fetched(name=name, sha256=found.sha256, bytes=found.bytes)
    raise AssertionError("no attempt was allowed")


def download_dataset(
    repository: str, revision: str, *, patterns: Sequence[str], folder: Path, progress: Progress | None = None
) -> list[Fetched]:
    """Download files of a dataset on the Hugging Face Hub, each to its own path below `folder`.

    Args:
        repository: `owner/name`.
        revision: commit.
        patterns: which files, as shell patterns of their whole path.
        folder: the folder fetched into, made where it is missing.
        progress: told of the files as they come.

    Raises:
        HashMismatchError: a file is not what the Hub's own listing says.
        InputError: no file is like the patterns, or one's name leads out of the folder.
        MissingExtraError: huggingface_hub is not installed.
        EnvironmentFailedError: network, Hub or disk failed, or the Hub refuses; the text says what to do.
    """
    endpoint = os.environ.get("HF_ENDPOINT") or None
    if endpoint:
        _check_address(endpoint)
    with _hub_errors(repository, revision):
        from huggingface_hub import HfApi, hf_hub_download

        listing = HfApi(endpoint=endpoint).dataset_info(repository, revision=revision, files_metadata=True)
        listed = listing.siblings or []
        wanted = [one for one in listed if any(fnmatch(one.rfilename, pattern) for pattern in patterns)]
        if not wanted:
            raise InputError.at(
                f"{repository} at {revision[:7]} on the Hugging Face Hub",
                found=f"{len(listed)} files, none of them like {' or '.join(patterns)}",
                expected="the dataset's files",
            )
        fetched = []
        for number, one in enumerate(wanted):
            if progress:
                progress(repository, number, len(wanted))
            _inside(folder, one.rfilename)
            path = hf_hub_download(
                repository,
                one.rfilename,
                repo_type="dataset",
                revision=revision,
                local_dir=folder,
                endpoint=endpoint,
                force_download=True,  # by its own notes a file that was changed in the same second is still there
            )
            fetched.append(_as_listed(Path(path), one, f"{repository}: {one.rfilename}"))
    return fetched


def _as_listed(path: Path, listed: RepoSibling, place: str) -> Fetched:
    """Compare a file with the Hub's listing, which has the SHA-256 of large files and the size of all."""
    found = Fetched(name=listed.rfilename, sha256=file_hash(path), bytes=path.stat().st_size)
    wrong_hash = listed.lfs is not None and listed.lfs.sha256 != found.sha256
    if wrong_hash or (listed.size is not None and listed.size != found.bytes):
        path.unlink()
        raise HashMismatchError(
            f"{place}: found {found.bytes} bytes with SHA-256 {found.sha256[:12]}…; expected what the Hub's listing "
            f"says, {listed.size} bytes{f' with {listed.lfs.sha256[:12]}…' if listed.lfs else ''}. {AGAIN}"
        )
    return found


@contextmanager
def _hub_errors(repository: str, revision: str) -> Iterator[None]:
    """Turn what huggingface_hub raises into one line that says what to do."""
    try:
        from huggingface_hub import errors
    except ImportError as error:
        raise MissingExtraError.for_extra("hub", "huggingface_hub") from error
    # Of the HTTP library that it is built on: requests, httpx or httpx2, by its version.
    transport: type[BaseException] = errors.HfHubHTTPError.__mro__[1]
    place = f"{repository} at {revision[:7]} on the Hugging Face Hub"
    try:
        yield
    except errors.GatedRepoError as error:
        raise EnvironmentFailedError(
            f"{place}: its terms must be accepted first. Accept them at https://huggingface.co/datasets/{repository}, "
            "run `hf auth login` (or set HF_TOKEN) and then the same command again"
        ) from error
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
        raise EnvironmentFailedError(
            f"{place}: not there, or not without logging in. If it needs a login, run `hf auth login` (or set "
            "HF_TOKEN); if it was taken away, get the files by hand"
        ) from error
    except (transport, errors.HFValidationError, OSError) as error:
        first = (str(error) or type(error).__name__).splitlines()[0]
        raise EnvironmentFailedError(f"{place}: could not be fetched: {first}. {AGAIN}") from error


def _inside(folder: Path, name: str) -> Path:
    """Return `folder / name`.

    Raises:
        InputError: that lies outside the folder.
    """
    relative = PurePosixPath(name)
    if relative.is_absolute() or ".." in relative.parts or not relative.name:
        raise InputError.at(repr(name), found="a name that leads elsewhere", expected=f"a path below {folder}")
    return folder / relative


def _check_address(url: str, *, came_from: str = "") -> None:
    """Refuse an address that anybody on the way could read or change.

    Raises:
        InputError: it is neither `https` nor `http` on this machine, or another machine leads to this one.
    """
    here = urlsplit(url)
    local = here.hostname in LOOPBACK
    led_here = local and bool(came_from) and urlsplit(came_from).hostname not in LOOPBACK
    if led_here or not (here.scheme == "https" or (here.scheme == "http" and local)):
        place = f"{came_from} led to {url}" if came_from else url
        found = "an address of this machine" if led_here else f"the scheme {here.scheme!r}"
        raise InputError.at(place, found=found, expected="an https address")


class _CheckedRedirects(HTTPRedirectHandler):
    """Follows redirects to addresses that could have been asked for in the first place."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> Request | None:
        """Check where a redirect leads before it is followed."""
        _check_address(newurl, came_from=req.full_url)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@contextmanager
def _opened(url: str, limits: Limits) -> Iterator[http.client.HTTPResponse]:
    """Ask for a file; its content is not read yet."""
    _check_address(url)
    headers = {"User-Agent": f"globmed/{__version__}", "Accept-Encoding": "identity"}
    opener = build_opener(_CheckedRedirects)
    try:
        response = opener.open(Request(url, headers=headers), timeout=limits.timeout_seconds)  # noqa: S310 - checked
    except HTTPError as error:
        error.close()
        raise _refused(url, error.code, error.reason) from error
    except (OSError, http.client.HTTPException) as error:
        raise _broken(url, error) from error
    with response:
        yield response


def _refused(url: str, status: int, reason: str) -> EnvironmentFailedError:
    """Return the error for an HTTP status, with what to do about it."""
    advice = {
        401: "It needs a login: fetch the file by hand",
        403: "It is not open to everybody: fetch the file by hand, or from another network",
        404: "It was moved or taken away: look for it at the source's home, which `globmed list sources` names",
        407: "The proxy needs a login: put it into https_proxy",
        410: "It was taken away: look for it at the source's home, which `globmed list sources` names",
        429: "The server asks for fewer requests: wait some minutes and run the same command again",
    }
    kind = _PassingError if status >= 500 or status in {408, 429} else EnvironmentFailedError
    text = "The server failed: run the same command again later" if status >= 500 else AGAIN
    said = " ".join(str(reason).split())
    return kind(f"{url}: the server answered {status} {said}. {advice.get(status, text)}")


def _broken(url: str, error: Exception) -> _PassingError:
    """Return the error for a connection that failed."""
    reason = error.reason if isinstance(error, URLError) else error
    said = str(reason).splitlines()[0] if str(reason) else type(reason).__name__
    return _PassingError(
        f"{url}: could not be fetched: {said}. Check the network and the proxy (https_proxy, no_proxy), then run the "
        "same command again"
    )


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Give a hidden file beside `path` that takes its place when the block ends well, and goes when it does not.

    Raises:
        EnvironmentFailedError: the disk failed.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            yield file
        part.replace(path)
    except OSError as error:
        raise EnvironmentFailedError(f"{path}: could not be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # of which the first one was said already
            part.unlink()


def _copied(
    response: http.client.HTTPResponse, file: IO[bytes], url: str, limits: Limits, progress: Progress | None
) -> Fetched:
    """Copy a response into a file and hash it on the way."""
    stated = response.headers.get("Content-Length")
    total = int(stated) if stated and stated.isdecimal() else None
    digest, size = hashlib.sha256(), 0
    for chunk in _chunks(response, url):
        size += len(chunk)
        if max(size, total or 0) > limits.bytes_max:
            raise InputError.at(url, found=f"more than {max(total or 0, size)} bytes", expected=f"{limits.bytes_max}")
        digest.update(chunk)
        file.write(chunk)
        if progress:
            progress(url, size, total)
    if total is not None and size < total:
        raise _PassingError(f"{url}: the transfer broke off after {size} of {total} bytes. {AGAIN}")
    return Fetched(name="", sha256=digest.hexdigest(), bytes=size)


def _chunks(response: http.client.HTTPResponse, url: str) -> Iterator[bytes]:
    try:
        while chunk := response.read(CHUNK_BYTES):
            yield chunk
    except (OSError, http.client.HTTPException) as error:
        raise _broken(url, error) from error
