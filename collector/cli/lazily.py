"""Groups of commands whose modules are loaded when they are asked for, and not with every command."""

import gc
import importlib
from collections.abc import Iterator, Mapping
from typing import Any

import typer

from collector.cli.commands import Commands


def loaded(modules: Mapping[str, str]) -> type[Commands]:
    """The group of some commands, each of which is a function or an app of its name in its module.

    What a command imports costs the others, and above all the daemon, neither time nor memory.
    """

    class Lazily(Commands):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**{**attributes, "commands": _Modules(modules)})

    return Lazily


class _Modules(Mapping[str, Any]):
    """The commands by name, in the order of `modules`."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self._modules = modules

    def __getitem__(self, name: str) -> Any:
        gc.disable()  # what is imported is no garbage, but looking for it takes a twentieth of the time
        found = getattr(importlib.import_module(self._modules[name]), name)
        gc.freeze()
        gc.enable()
        if not isinstance(found, typer.Typer):
            app = typer.Typer(add_completion=False)
            app.command()(found)
            found = app
        command = typer.main.get_command(found)
        command.name = name
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __len__(self) -> int:
        return len(self._modules)
