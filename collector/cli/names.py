"""Which source is meant by what was typed."""

from collections.abc import Iterable

from collector.errors import UsageError
from collector.messages import STATE_STREAM
from collector.texts import gateway as say


def includes(typed: str | None, name: str) -> bool:
    """Whether a stream is asked for: by its name, by its machine's, or since nothing was typed."""
    return typed in {None, name, name.partition("/")[0]}


def meant(typed: str | None, sources: Iterable[str]) -> str:
    """The source of that name, or the only one of the machine of that name, or of all if nothing was typed.

    Raises:
        UsageError: there is none, or there are several.
    """
    names = sorted(sources)
    if typed is None:
        if len(names) == 1:
            return names[0]
        raise UsageError(say.WHICH_SOURCE(known=", ".join(names)))
    if typed in names:
        return typed
    machine, _, stream = typed.partition("/")
    of_machine = [name for name in names if name.startswith(f"{machine}/")]
    if not of_machine or stream not in {"", STATE_STREAM}:
        raise UsageError(say.NO_SUCH_SOURCE(name=typed, known=", ".join(names)))
    known = ", ".join(of_machine)
    if stream:
        raise UsageError(say.STATE_NO_SOURCE(name=typed, known=known))
    if len(of_machine) > 1:
        raise UsageError(say.SEVERAL_SOURCES(machine=machine, known=known))
    return of_machine[0]
