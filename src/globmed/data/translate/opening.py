"""Opens models by the names that users write."""

from __future__ import annotations

from globmed.models.client import Client
from globmed.models.opening import open_client, open_translator


def open_by_name(spec: str, *, source: str, target: str, to_ask: bool = True) -> tuple[Client, bool]:
    """Return a model's client, and whether it is a translation engine, which has one for each direction.

    Args:
        spec: what the user wrote, in the forms of `globmed.models.opening`.
        source: BCP 47 code.
        target: BCP 47 code.
        to_ask: whether it will be asked anything; if not, an API key that is not set is no error.

    Raises:
        GlobmedError: as `open_client` and `open_translator` do.
    """
    engine = open_translator(spec, source=source, target=target)
    return (open_client(spec, to_ask=to_ask), False) if engine is None else (engine, True)
