"""What a device is asked for: its points as requests, each with its pace and its decoder; pure.

Sending them, and what to do when they are refused, belongs to source.py.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from collector.points import Origin, Point, PointKind, PointQuality, Reading
from collector.sources.modbus.addresses import FUNCTIONS, is_of_bits, locate, written
from collector.sources.modbus.mistakes import forbidden_spans
from collector.sources.modbus.planner import Limits, Span, pieces, plan
from collector.sources.modbus.registers import Cell, Decoder, registers_of
from collector.sources.modbus.schedule import Pace
from collector.sources.modbus.settings import ModbusPointSettings, ModbusSettings, Table


@dataclass(frozen=True, slots=True)
class Placed:
    """A point and where it stands."""

    settings: ModbusPointSettings
    table: Table
    span: Span


class Poll:
    """One request that is sent at a pace."""

    def __init__(
        self, device: ModbusSettings, table: Table, span: Span, placed: Sequence[Placed], pace: Pace
    ) -> None:
        self.table = table
        self.span = span
        self.pace = pace
        self._device = device
        self._placed = placed
        cells = [
            Cell(
                at.settings,
                at.span.first - span.first,
                at.settings.byte_order or device.byte_order,
                at.settings.word_order or device.word_order,
            )
            for at in placed
        ]
        self._decoder = Decoder(cells, of_bits=is_of_bits(table))
        self.readings = self._decoder.readings

    @cached_property
    def pieces(self) -> tuple[Span, ...]:
        """What is asked for at once; more than one only for a value that is longer than the limit."""
        return tuple(pieces(self.span, _most(self._device, self.table)))

    @cached_property
    def ends(self) -> tuple[str, str]:
        """The first and the last place, as the configuration counts."""
        return self._ends(self.span)

    def bad(self, detail: str, now_ns: int) -> tuple[Reading, ...]:
        """Readings that say why there is none."""
        return tuple(
            Reading(at.settings.name, None, PointQuality.BAD, now_ns, detail=detail) for at in self._placed
        )

    def origins(self, words: Sequence[int] = ()) -> dict[str, Origin]:
        """Where each point stands, and what stood there in a reply, for eyes on the gateway."""
        return {
            at.settings.name: Origin(self._where(at.span), self._raw(at.span, words)) for at in self._placed
        }

    def split(self) -> "list[Poll]":
        """The same points, each value asked for by itself."""
        by_span: dict[Span, list[Placed]] = defaultdict(list)
        for at in self._placed:
            by_span[at.span].append(at)
        return [
            Poll(self._device, self.table, span, placed, Pace(self.pace.period_ns, self.pace.due_ns))
            for span, placed in by_span.items()
        ]

    def _ends(self, span: Span) -> tuple[str, str]:
        addressing = self._device.addressing or "pdu"
        first, last = (written(self.table, place, addressing) for place in (span.first, span.end - 1))
        return first, last

    def _where(self, span: Span) -> str:
        first, last = self._ends(span)
        several = f" to {last}" if span.count > 1 else ""
        return f"{first}{several} (function {FUNCTIONS[self.table]:02})"

    def _raw(self, span: Span, words: Sequence[int]) -> str:
        own = words[span.first - self.span.first :][: span.count]
        return " ".join(f"{word:d}" if is_of_bits(self.table) else f"{word:04x}" for word in own)


def polls_of(device: ModbusSettings) -> list[Poll]:
    """The fewest requests for a device's points, planned for each table and period; without any mistake."""
    groups: dict[tuple[float, Table], list[Placed]] = defaultdict(list)
    for point in device.points:
        if point.address is None:
            raise ValueError(f"{point.name} has no address")
        table, first = locate(point.table, point.address, device.addressing or "pdu")
        placed = Placed(point, table, Span(first, registers_of(point)))
        groups[point.every_s or device.every_s, table].append(placed)
    polls = []
    for (every_s, table), group in groups.items():
        limits = Limits(_most(device, table), device.largest_hole, forbidden_spans(device, table))
        for request in plan([at.span for at in group], limits):
            members = [group[index] for index in request.members]
            polls.append(Poll(device, table, request.span, members, Pace(round(every_s * 1e9))))
    return polls


def points_of(device: ModbusSettings) -> tuple[Point, ...]:
    """The points as the rest of the program knows them."""
    return tuple(
        Point(
            point.name,
            point.point_kind(),
            point.unit if point.point_kind() is PointKind.NUMBER else "",
            point.states or {},
            point.share,
            point.every_s or device.every_s,
        )
        for point in device.points
    )


def _most(device: ModbusSettings, table: Table) -> int:
    return device.max_bits if is_of_bits(table) else device.max_registers
