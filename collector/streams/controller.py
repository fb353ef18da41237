"""One controller or meter: the way of its readings from the connection to records.

`take` shows the order; `keep` stays at it for ever. Whatever goes wrong here concerns this controller alone.
The counterpart for sampled signals is waveform.py.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from collector.aggregate import summary
from collector.config import ControllerSettings, MachineFile, WaveformSettings
from collector.context import LONGEST_DELAY_S, LONGEST_USUAL_DELAY_S
from collector.errors import ControlError
from collector.health import ControllerReport, PointTestReport
from collector.history import History, new_history
from collector.journal import Journal
from collector.messages import Message
from collector.points import Arrival, Point, PointKind, Reading, believable, is_finite_number
from collector.sharing import leaving, share_of
from collector.sources import describe_controller_source
from collector.sources.source import PointSource
from collector.streams.arrivals import take_arrivals
from collector.streams.clock_offset import ClockOffset
from collector.streams.controller_health import ControllerHealth
from collector.streams.controller_records import ControllerRecords
from collector.streams.metadata import describe_controller
from collector.streams.observe import PointObservation
from collector.streams.stream_records import StreamRecords
from collector.streams.supervision import contained, keep_trying
from collector.texts import gateway
from collector.texts import points as say

_LONGEST_SETTLING_S = 5.0
"""No summary waits longer for readings that are on their way."""
_LATE_S = 10.0
"""Windows are joined fully if their samples come no later than this, and a machine's state is judged fully if
that is done no later."""


class Controller:
    """A configured controller of a machine.

    `key` gives the key for pseudonyms when one is needed; `source` goes before what the settings describe.
    """

    def __init__(
        self,
        machine: MachineFile,
        settings: ControllerSettings,
        journal: Journal,
        *,
        key: Callable[[], bytes],
        source: PointSource | None = None,
    ) -> None:
        self.machine = machine
        self.settings = settings
        self.name = f"{machine.name}/{settings.name}"
        self.source = source or describe_controller_source(settings.source)
        self.window_s = 0.0
        """The longest window of the machine's waveforms, for which readings are remembered."""
        self._key = key
        self._clock = journal.clock
        self._known: tuple[Point, ...] = ()
        self._histories: dict[str, History] = {}
        self._numbers: dict[str, History] = {}
        """Those of them that are numbers, which leave as they are."""
        self._offset = ClockOffset()
        self._observations: list[PointObservation] = []
        self._learn()
        content = describe_controller(machine, settings, self.source, self._known)
        self._stream = StreamRecords(journal, machine.name, settings.name, content)
        self._records = ControllerRecords(self._stream)
        self._health = ControllerHealth(self.name, self._stream)
        self._from_ns = self._clock.monotonic_ns()
        """Where the next summary begins."""
        self._lost_before = 0
        """How many values had been lost by then."""

    @property
    def meta(self) -> Message:
        """The description under which records are made now."""
        return self._stream.meta

    @property
    def histories(self) -> Mapping[str, History]:
        """What its shared points have said, by name; another object once the points change."""
        return self._histories

    @property
    def offset_us(self) -> int | None:
        """The gateway's UTC minus the controller's, estimated."""
        return self._offset.estimate_us

    async def keep(self) -> None:
        """Read for ever, connecting again whatever happens."""
        await keep_trying(
            self.name,
            self.collect,
            progress=lambda: self._health.arrivals,
            # Not the exception's own words: they may hold a value that must not leave.
            unexpected=lambda error: say.UNEXPECTED(kind=type(error).__name__),
            failed=self._health.failed,
            trying_again=self._health.trying_again,
        )
        self._health.finished()

    async def collect(self) -> None:
        """Connect and take what the controller says, until it fails or is silent for too long."""
        self._offset.restart()
        if any(share_of(point) == "pseudonym" for point in self._known):
            self._key()  # without it, nothing of this controller leaves
        await take_arrivals(self.source, self.take)

    def take(self, arrival: Arrival) -> None:
        """One arrival's way: checked, withheld or under a pseudonym, remembered, changes to the outbox."""
        self._notice_new_points()
        for observation in self._observations:
            observation.add(arrival)
        histories, numbers = self._histories, self._numbers
        for said in arrival.readings:
            if said.source_us is not None:
                self._offset.add(said)
            if (history := numbers.get(said.point)) is not None:
                history.add(said if is_finite_number(said) else believable(history.point, said))
            elif (history := histories.get(said.point)) is not None:  # else it stays
                self._notice(history, believable(history.point, said))
        for name in arrival.vouched:
            history = histories.get(name)
            if history is not None:
                history.vouch(arrival.received_ns)
        self._health.arrived(arrival.received_ns, len(arrival.readings))

    def look(self) -> None:
        """Publish the summaries that are complete, and judge how the controller is; once a second."""
        self._contained(self._look)

    def stop(self) -> None:
        """Publish what has been read since the last summary; its alarm ends."""
        for step in (self._finish, self._health.closed):
            self._contained(step)

    def is_acquired_like(self, settings: ControllerSettings | WaveformSettings) -> bool:
        """Whether other settings differ from these in the description alone."""
        return settings == self.settings

    def describe(self, machine: MachineFile, settings: ControllerSettings) -> bool:
        """Go on under another description; tells whether it differs."""
        before = self.meta
        self.machine, self.settings = machine, settings
        self._stream.describe(describe_controller(machine, settings, self.source, self._known))
        return self.meta is not before

    async def watch(self, seconds: float) -> PointTestReport:
        """Watch what arrives for some seconds, beside the usual work.

        Raises:
            ControlError: nothing arrived, with the reason.
        """
        observation = PointObservation(self.source, self._said_plainly())
        self._observations.append(observation)
        try:
            await asyncio.sleep(seconds)
        finally:
            self._observations.remove(observation)
        report = observation.report(through_daemon=True)
        if report is None:
            reason = self._health.reason or gateway.NOTHING_ARRIVES(name=self.name, seconds=seconds)
            raise ControlError(reason)
        return report

    def _said_plainly(self) -> dict[str, Reading]:
        """What each point said last, of those whose value is remembered as it was said."""
        return {
            name: history.last
            for name, history in self._histories.items()
            if history.last is not None and share_of(history.point) == "plain"
        }

    def report(self) -> ControllerReport:
        """How this controller is."""
        return self._health.report(
            self.settings.source.kind,
            self.source.origin,
            self._histories,
            withheld=len(self._known) - len(self._histories),
            offset_us=self.offset_us,
            lost=self.source.lost,
        )

    def _learn(self) -> None:
        """Take over the points that the source knows by now; what is known of those that stay is kept."""
        self._known = self.source.points
        self._histories = {
            point.name: self._history(point) for point in self._known if share_of(point) != "none"
        }
        self._numbers = {
            name: history
            for name, history in self._histories.items()
            if history.point.kind is PointKind.NUMBER
        }

    def _notice_new_points(self) -> None:
        points = self.source.points
        if points is not self._known and points != self._known:
            self._learn()
            self.describe(self.machine, self.settings)

    def _history(self, point: Point) -> History:
        history = new_history(point, self.source.silent_after_s, self.settings.stale_after_s)
        before = self._histories.get(point.name)
        if before is None or replace(before.point, every_s=point.every_s) != point:
            return history
        before.go_on_as(history)
        return before

    def _notice(self, history: History, said: Reading) -> None:
        """Keep what may leave of a state or text, and publish it if it has changed."""
        reading = leaving(history.point, said, self._key)
        if reading is None:
            return
        before = history.last
        history.add(reading)
        if before is None or (before.value, before.quality) != (reading.value, reading.quality):
            self._records.change(reading, before.value if before else None)

    def _contained(self, step: Callable[[], None]) -> None:
        contained(self.name, step, lambda e: self._health.stumbled(say.UNEXPECTED(kind=type(e).__name__)))

    def _look(self) -> None:
        self._notice_new_points()
        now_ns = self._clock.monotonic_ns()
        self._offset.look(self._clock)
        self._publish(now_ns - self._settling_ns())
        self._forget(now_ns)
        self._health.look(self._histories, lambda: self.source.remarks)

    def _finish(self) -> None:
        now_ns = self._clock.monotonic_ns()
        self._publish(now_ns)
        if now_ns > self._from_ns:
            self._summarise(now_ns)

    def _publish(self, until_ns: int) -> None:
        """Publish the summaries that ended before a moment."""
        length_ns = round(self.settings.publish_every_s * 1e9)
        while self._from_ns + length_ns <= until_ns:
            self._summarise(self._from_ns + length_ns)

    def _summarise(self, to_ns: int) -> None:
        from_ns, self._from_ns = self._from_ns, to_ns  # first of all: what fails once must not fail for ever
        lost, self._lost_before = self.source.lost - self._lost_before, self.source.lost
        points = {name: summary(history, from_ns, to_ns) for name, history in self._histories.items()}
        self._records.summary(from_ns, to_ns, points, offset_us=self.offset_us, lost=lost)

    def _settling_ns(self) -> int:
        """How long a summary waits for readings on their way: a period of the slowest point."""
        slowest_ns = max((history.period_ns for history in self._histories.values()), default=0)
        return min(slowest_ns, round(_LONGEST_SETTLING_S * 1e9))

    def _forget(self, now_ns: int) -> None:
        """Forget what neither the next summary asks for, nor a window, nor the machine's state."""
        before_ns = self._from_ns - 1  # what held then is part of the next summary
        if self.window_s:
            window_s = self.window_s + LONGEST_DELAY_S + _LATE_S
            before_ns = min(before_ns, now_ns - round(window_s * 1e9))
        elif self.machine.machine.state is not None:
            delay_s = self.machine.machine.context.join_delay_s or 0.0
            state_s = max(delay_s, LONGEST_USUAL_DELAY_S) + _LATE_S
            before_ns = min(before_ns, now_ns - round(state_s * 1e9))
        for history in self._histories.values():
            history.forget(before_ns)
