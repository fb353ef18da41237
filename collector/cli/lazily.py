"""Groups of commands whose module is loaded when one of them is asked for, and not with every command."""

import importlib
from typing import Any

import typer
from typer.core import TyperGroup


def loaded(module: str) -> type[TyperGroup]:
    """The group of the commands of a module's `app`; what it imports costs the daemon no memory."""

    class Lazily(TyperGroup):
        def list_commands(self, ctx: Any) -> list[str]:
            return list(self._commands())

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            return self._commands().get(cmd_name)

        def _commands(self) -> dict[str, Any]:
            group: Any = typer.main.get_command(importlib.import_module(module).app)
            return dict(group.commands)

    return Lazily
