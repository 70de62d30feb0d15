"""Plugins are found by their files: one module a plugin, declared under the file's own name, no central list."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Protocol, TypeVar

from globmed.core.errors import PluginError


class Named(Protocol):
    """Whatever a plugin module may declare: it has a name."""

    @property
    def name(self) -> str:
        """The plugin's name, equal to its file's."""


T = TypeVar("T", bound=Named)


def discover(package: str, declares: type[T]) -> dict[str, T]:
    """Import every module of `package` and return what each declares, by name, sorted.

    Args:
        package: dotted name, such as `globmed.data.sources`.
        declares: the type of which every module holds exactly one instance at its top level.

    Raises:
        PluginError: a module declares none or several, or one under another name than its file's.
    """
    found: dict[str, T] = {}
    path = import_module(package).__path__
    for name in sorted(module.name for module in pkgutil.iter_modules(path)):
        module = import_module(f"{package}.{name}")
        declared = [value for value in vars(module).values() if isinstance(value, declares)]
        place = getattr(module, "__file__", None) or module.__name__
        kind = declares.__name__
        if len(declared) != 1:
            names = ", ".join(plugin.name for plugin in declared) or "none"
            raise PluginError(
                f"{place}: found {len(declared)} of {kind} ({names}); expected exactly one, named {name!r}"
            )
        if declared[0].name != name:
            raise PluginError(
                f"{place}: found a {kind} named {declared[0].name!r}; expected the file's own name, {name!r}"
            )
        found[name] = declared[0]
    return found
