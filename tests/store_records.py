"""Records for tests of the store, made and numbered as a gateway does."""

from collections.abc import Mapping
from typing import Any

from collector.clock import SystemClock
from collector.messages import (
    Change,
    Cut,
    Features,
    Gap,
    Message,
    Meta,
    MetaContent,
    Moment,
    Numbering,
    NumberSummary,
    Readings,
    Record,
    RecordsLost,
    Restart,
    StateChange,
    StateSummary,
    Topics,
    Utilisation,
    meta_hash,
)
from collector.store.arrivals import Arrival

ROOT = "shopfloor/v1"
T0_US = 1_790_000_000_000_000
DEFINITION = {"name": "rms", "unit": "g", "definition": "Root mean square.", "formula": "", "version": 1}
CONTENT = MetaContent(
    version="0.1.0",
    machine={"name": "mill-1"},
    tools=[],
    source={"kind": "simulated", "origin": "simulated", "nominal_hz": 6400.0},
    sensor={},
    channels=[{"name": "x", "unit": "g", "ucum": "[g]"}],
    window={"n": 512, "hop": 512},
    features={"g": [DEFINITION]},
    flags=[],
)
META = meta_hash(CONTENT)


class Gateway:
    """A gateway that numbers its records, with windows 80 ms apart; `offset_us` is UTC minus `mono_us`."""

    def __init__(
        self,
        company: str = "works",
        gateway: str = "gw1",
        epoch: str = "000001-aaaaaaaa",
        boot: str = "boot",
        offset_us: int = T0_US,
    ) -> None:
        self.topics = Topics(ROOT, company, gateway)
        self.epoch = epoch
        self._numbering = Numbering(epoch, boot)
        self._offset_us = offset_us
        self._windows = 0

    def features(
        self,
        t_us: int | None = None,
        *,
        sync: bool = True,
        machine: str = "mill-1",
        made_under: MetaContent = CONTENT,
        **fields: Any,
    ) -> Message:
        """The record of a window, the next one unless a time is given."""
        t_us = T0_US + 80_000 * self._windows if t_us is None else t_us
        values: dict[str, Any] = {
            "first": 512 * self._windows,
            "n": 512,
            "hop": 512,
            "rate_hz": 6400.0,
            "rate_state": "exact",
            "measured_hz": None,
            "lost": 0,
            "clipped": 0,
            "quality": [],
            "channels": {
                "x": {
                    "rms": 0.1 + self._windows / 3,
                    "crest": None,
                    "band_rms": {"10-100": 0.5, "100-200": None},
                    "peaks": [{"hz": 99.5, "amplitude": 0.25}],
                }
            },
        }
        self._windows += 1
        topic = self.topics.of(machine, "spindle", "features")
        return self._message(Features, topic, t_us, values | fields, sync=sync, meta=meta_hash(made_under))

    def meta(
        self, content: MetaContent = CONTENT, machine: str = "mill-1", stream: str = "spindle"
    ) -> Message:
        """The description of a stream."""
        topic = self.topics.of(machine, stream, "meta")
        at = Moment(0, T0_US, sync=True)
        return self._numbering.message(Meta, topic, at, meta=meta_hash(content), content=content)

    def summary(self, t_us: int = T0_US) -> Message:
        """Ten seconds of a controller."""
        speed = NumberSummary(
            count=10,
            mean=6000.0,
            min=5990.0,
            max=6010.0,
            std=5.0,
            rms=None,
            coverage=1.0,
            uncertain=0,
            bad=0,
            stale=0,
            last=6001.0,
            quality="good",
            changed_s=1.0,
            vouched_s=0.5,
        )
        mode = StateSummary(
            kind="state", last="cutting", quality="good", changes=1, changed_s=2.0, vouched_s=0.5
        )
        times = {"from_us": t_us, "to_us": t_us + 10_000_000, "offset_us": None}
        points = {"spindle-speed": speed, "mode": mode}
        topic = self.topics.of("mill-1", "plc", "readings")
        return self._message(Readings, topic, t_us, {"lost": 0, "points": points} | times)

    def change(self, t_us: int = T0_US) -> Message:
        """A state that becomes another."""
        topic = self.topics.of("mill-1", "plc", "readings")
        said = {"point": "mode", "value": "cutting", "quality": "good", "previous": None, "source_us": None}
        return self._message(Change, topic, t_us, said)

    def cut(self) -> Message:
        """A cut of four seconds."""
        rms = {"mean": 0.5, "min": 0.3, "max": 0.7}
        windows = {"windows": 50, "lost": 0, "clipped": 0, "quality": {}, "channels": {"x": {"rms": rms}}}
        said = {
            "waveforms": {"spindle": windows},
            "context": {"plc/tool": {"kind": "state", "values": ["T1"]}},
        }
        around = {"duration_s": 4.0, "previous": "idle", "next": "idle"}
        times = {"from_us": T0_US, "to_us": T0_US + 4_000_000}
        return self._message(Cut, self.topics.of("mill-1", "state", "readings"), T0_US, said | around | times)

    def utilisation(self) -> Message:
        """An hour with that cut."""
        times = {"from_us": T0_US, "to_us": T0_US + 3_600_000_000}
        period = {f"period_{name}": t_us for name, t_us in times.items()}
        named = {"period": "hour", "shift": None, "day": None, "complete": True}
        spent = {"seconds": {"idle": 3596.0, "cutting": 4.0}, "ratios": {"known": 1.0}}
        topic = self.topics.of("mill-1", "state", "readings")
        return self._message(Utilisation, topic, T0_US, times | period | named | spent)

    def state(self) -> Message:
        """The beginning of that cut."""
        why = [{"question": "cutting", "answer": True, "input": "spindle/x/rms", "value": 0.5}]
        said = {
            "machine": "mill-1",
            "previous": "idle",
            "state": "cutting",
            "since_us": T0_US - 1,
            "why": why,
        }
        return self._message(StateChange, self.topics.of("mill-1", "state", "event"), T0_US, said)

    def gap(self, lost: int | None, from_us: int = T0_US, cause: str = "device", **more: Any) -> Message:
        """Samples that are missing."""
        topic = self.topics.of("mill-1", "spindle", "event")
        times = {"from_us": from_us, "to_us": from_us + 1_000_000}
        fields = {"cause": cause, "first": 5, "lost": lost, "estimated": True}
        return self._message(Gap, topic, from_us, fields | times | more)

    def restart(self, t_us: int = T0_US, **more: Any) -> Message:
        """The beginning of a run."""
        facts = {"version": "0.1.0", "previous_epoch": None, "last_seq": None} | more
        return self._message(Restart, self.topics.gateway_event, t_us, facts)

    def records_lost(self, first_seq: int, last_seq: int, t_us: int = T0_US, **more: Any) -> Message:
        """Records that are gone."""
        facts = {"cause": "overflow", "records": last_seq - first_seq + 1, "lost_epoch": self.epoch}
        bounds = {"first_seq": first_seq, "last_seq": last_seq, "from_us": T0_US, "to_us": T0_US + 1}
        return self._message(RecordsLost, self.topics.gateway_event, t_us, facts | bounds | more)

    def _message(
        self,
        kind: type[Record],
        topic: str,
        t_us: int,
        fields: Mapping[str, Any],
        *,
        sync: bool = True,
        meta: str = META,
    ) -> Message:
        at = Moment(t_us - self._offset_us, t_us, sync)
        return self._numbering.message(kind, topic, at, meta=meta, **fields)

    def everything(self) -> list[Message]:
        """One of each kind of record."""
        made = [self.restart(), self.meta(), self.features(), self.summary(), self.change(), self.gap(7)]
        return [*made, self.records_lost(100, 200)]


def now_us() -> int:
    """UTC."""
    return SystemClock().utc_ns() // 1000


def arrival(message: Message, received_us: int | None = None) -> Arrival:
    """A message as it comes from the broker."""
    return Arrival(message.topic, message.payload, now_us() if received_us is None else received_us)


def arrivals(messages: list[Message]) -> list[Arrival]:
    """Messages as they come, a millisecond apart in the same order."""
    return [arrival(message, T0_US + 1_000_000_000 + 1000 * n) for n, message in enumerate(messages)]
