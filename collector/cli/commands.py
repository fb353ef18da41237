"""Groups of commands, and what is said of a command that there is not. When modules are loaded: lazily.py."""

import difflib
from typing import Any

from typer.core import TyperGroup

from collector.errors import UsageError
from collector.texts import cli as say

_GIVES_UP = {"prune", "purge", "revoke", "withdraw"}
"""Commands that take something away for good; a slip of the finger must not lead to one."""
_ELSEWHERE = {"run": "serve", "start": "serve"}
"""What the same is called in other groups or programs."""


class Commands(TyperGroup):
    """A group that suggests the nearest command for a wrong name, but none that deletes."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that is asked for.

        Raises:
            UsageError: there is none of this name.
        """
        name = args[0]
        if name in self.commands or name.startswith("-"):
            return super().resolve_command(ctx, args)
        harmless = [known for known in self.commands if known not in _GIVES_UP]
        near = [_ELSEWHERE[name]] if _ELSEWHERE.get(name) in harmless else []
        near = near or difflib.get_close_matches(name, harmless)
        group = ctx.command_path
        if near:
            raise UsageError(say.NO_COMMAND_BUT(group=group, name=name, near=near[0]))
        raise UsageError(say.NO_COMMAND(group=group, name=name))
