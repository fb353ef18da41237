"""What the settings models allow where: places, tables, possible values and an example for each key; pure.

Nothing here knows a particular table; the models are read through pydantic's own description of their fields.
"""

import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, TypeGuard, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from collector.texts import Sentence
from collector.toml.document import validate
from collector.toml.toml_lines import TomlPath

# Examples of a key's value, for keys that a plain one would not suit; the first that is valid there is shown.
_EXAMPLES: dict[str, tuple[Any, ...]] = {
    "array": ("samples",),
    "baud": (115200,),
    "bits": ([0, 3],),
    "ca_file": ("ca.pem",),
    "calibration_date": (date(2025, 3, 31),),
    "cert_file": ("gateway.pem",),
    "columns": ([1, 2, 3],),
    "counter_modulus": (65536,),
    "directory": ("/var/lib/collector/outbox",),
    "file": ("recordings/mill.csv",),
    "high_hz": (500.0,),
    "host": ("broker.example.org",),
    "key_file": ("gateway.key",),
    "line_columns": (4,),
    "low_hz": (10.0,),
    "overlap": (0.5,),
    "password_file": ("credential:secrets_mqtt-password",),
    "port": ("/dev/serial/by-id/usb-Example_Sensor-if00", 8883),
    "root": ("shopfloor/v1",),
    "samples": (4096,),
    "scale": (0.001,),
    "seconds": (1.0,),
    "socket": ("/run/collector/control.sock",),
    "sync": ("aa55",),
    "teeth": (4,),
    "user": ("example-works",),
}
_PLAIN_EXAMPLES = (1000, 50, 1, 0.5, "text", True, [1], ["text"])


@dataclass(frozen=True, slots=True)
class Instead:
    """Beside the type of a key with choices or a pattern: who says what to type for a text that does not fit.

    For keys where the choice that looks most alike would make wrong data, or where more is known of the form.
    """

    sentence: Callable[[str], Sentence]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an error's location leads: its path in the file and what is allowed there.

    `table` is the model that holds the last key, `kind` the type of the value. Where the location passes
    through a choice of several types, `union` is the path of that choice and `member` pydantic's name of the
    type tried.
    """

    path: TomlPath
    table: type[BaseModel]
    kind: Any
    union: TomlPath | None = None
    member: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that a file may have: its path without positions, whether it may come many times, its model."""

    path: tuple[str, ...]
    listed: bool
    model: type[BaseModel]
    tag: str = ""

    def __str__(self) -> str:
        return header(self.path, listed=self.listed) + (f" ({self.tag})" if self.tag else "")


def place_of(model: type[BaseModel], location: tuple[str | int, ...]) -> Place:
    """Walk the location of one of pydantic's errors along the models."""
    path: TomlPath = ()
    table, kind, discriminator = model, model, None
    union: TomlPath | None = None
    member = ""
    bare: Any = kind
    for item in location:
        if is_table(bare):
            table, path = bare, (*path, item)
            field = table.model_fields.get(str(item))
            bare, discriminator = _bare(field.annotation, field.discriminator) if field else (None, None)
        elif get_origin(bare) is tuple:
            path = (*path, item)
            bare, discriminator = _bare(get_args(bare)[0])
        elif discriminator is not None:
            bare, discriminator = _tagged(bare, discriminator, str(item)), None
        elif _is_union(bare):
            union, member = path, str(item)
            lists = [kind for kind in get_args(bare) if get_origin(kind) is tuple]
            bare = lists[0] if lists and member.startswith("tuple") else bare
        else:
            path = (*path, item)
    return Place(path, table, bare, union, member)


def tables(model: type[BaseModel], path: tuple[str, ...] = ()) -> Iterator[Table]:
    """Every table below a file's model, outer ones first."""
    for key, field in model.model_fields.items():
        kind, discriminator = _bare(field.annotation, field.discriminator)
        listed = get_origin(kind) is tuple
        if listed:
            kind, discriminator = _bare(get_args(kind)[0])
        for member in get_args(kind) if discriminator else (kind,):
            if not is_table(member):
                continue
            tag = f'{discriminator} = "{_tag(member, discriminator)}"' if discriminator else ""
            yield Table((*path, key), listed, member, tag)
            yield from tables(member, (*path, key))


def header(path: TomlPath, *, listed: bool) -> str:
    """A table's line: `[waveforms.source]`, or in double brackets where it may come many times."""
    name = ".".join(str(part) for part in path if isinstance(part, str))
    return f"[[{name}]]" if listed else f"[{name}]"


def rows(kind: Any) -> type[BaseModel] | None:
    """The model of the tables in a list of tables; None for any other type."""
    inner = _bare(get_args(kind)[0])[0] if get_origin(kind) is tuple else None
    return inner if is_table(inner) else None


def instead(place: Place) -> Instead | None:
    """Who says what to type for a text that does not fit at a place, where its key names one."""
    field = place.table.model_fields.get(str(place.path[-1]))
    return next((note for note in field.metadata if isinstance(note, Instead)), None) if field else None


def is_table(kind: Any) -> TypeGuard[type[BaseModel]]:
    """Whether a type stands for one table."""
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def is_kind_of_table(kind: Any) -> bool:
    """Whether a type stands for one table of several kinds."""
    return _is_union(kind) and all(is_table(member) for member in get_args(kind))


def choices(kind: Any) -> tuple[str | int, ...]:
    """The values that a type lists, as in `Literal["g", "m/s2"]`."""
    if get_origin(kind) is Literal:
        return get_args(kind)
    members = get_args(kind) if _is_union(kind) else ()
    return tuple(choice for member in members for choice in choices(_bare(member)[0]))


def tags(kind: Any, discriminator: str) -> tuple[str, ...]:
    """The possible kinds of a table of several kinds."""
    return tuple(_tag(member, discriminator) for member in get_args(kind))


def field_kind(table: type[BaseModel], key: str | int) -> Any:
    """The type of a key's value, without None and the like."""
    field = table.model_fields.get(str(key))
    return _bare(field.annotation)[0] if field else None


def example(table: type[BaseModel], key: str) -> Any:
    """A valid value for a key of a table."""
    field = table.model_fields[key]
    kind = field_kind(table, key)
    defaults = (field.default,) if isinstance(field.default, str | int | float) else ()
    candidates = (
        *(field.examples or ()),
        *_EXAMPLES.get(key, ()),
        *choices(kind),
        *defaults,
        *_PLAIN_EXAMPLES,
    )
    return next((value for value in candidates if _fits(field, value)), "…")


def _fits(field: FieldInfo, value: Any) -> bool:
    kind: Any = Annotated[field.annotation, field]
    try:
        validate(kind, value)
    except ValidationError:
        return False
    return True


def _bare(annotation: Any, discriminator: Any = None) -> tuple[Any, str | None]:
    # Take off Annotated and None; what Annotated says about a discriminator is kept.
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *notes = get_args(annotation)
            named = [
                note.discriminator for note in notes if isinstance(note, FieldInfo) and note.discriminator
            ]
            discriminator = named[0] if named else discriminator
        elif _is_union(annotation) and types.NoneType in get_args(annotation):
            annotation = Union[tuple(kind for kind in get_args(annotation) if kind is not types.NoneType)]  # noqa: UP007
        else:
            return annotation, discriminator if isinstance(discriminator, str) else None


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in {Union, types.UnionType}


def _tag(model: type[BaseModel], discriminator: str) -> str:
    return str(get_args(model.model_fields[discriminator].annotation)[0])


def _tagged(kind: Any, discriminator: str, tag: str) -> Any:
    return next((member for member in get_args(kind) if _tag(member, discriminator) == tag), None)
