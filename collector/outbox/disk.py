"""The disk thread: the only one that touches the outbox's files. It takes commands and posts reports.

A command is a small value, put into a queue by the event loop; a report is handed back through
`call_soon_threadsafe`. Commands are done in the order in which they were given.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from collector.clock import monotonic_ns
from collector.messages import Message
from collector.outbox.log import Log, Opened
from collector.outbox.settled import Settled
from collector.outbox.state import DiskFacts, Key, Mark, OutboxLoss

_WAKE_S = 0.5
"""Without commands the thread still looks after its files, and shows that it is alive, so often."""


@dataclass(frozen=True, slots=True)
class Commit:
    """Store these records; answered by `Committed`."""

    messages: list[Message]


@dataclass(frozen=True, slots=True)
class Confirm:
    """These records are delivered; answered by `Confirmed`."""

    records: Settled


@dataclass(frozen=True, slots=True)
class GiveBack:
    """The event loop forgot these stored records, to read them again later; answered by `GivenBack`.

    Those that are `shelved` only after the next `Unshelve`.
    """

    keys: list[Key]
    shelved: bool = False


@dataclass(frozen=True, slots=True)
class Unshelve:
    """Every record may be read again."""


@dataclass(frozen=True, slots=True)
class Read:
    """Hand out the oldest records of other topics than these; answered by `Batch`."""

    withheld: frozenset[str]


@dataclass(frozen=True, slots=True)
class SaveMark:
    """Save the mark of the streams; answered by `Marked`."""

    mark: Mark


@dataclass(frozen=True, slots=True)
class Declare:
    """A record declares a loss."""

    loss: OutboxLoss
    by: Key


@dataclass(frozen=True, slots=True)
class Purge:
    """Give up everything; answered by `Purged`."""


@dataclass(frozen=True, slots=True)
class Close:
    """Do nothing more."""


Work = Commit | Confirm | GiveBack | Unshelve | Read | SaveMark | Declare | Purge
Command = Work | Close


@dataclass(frozen=True, slots=True)
class Committed:
    """The first `stored` of these records are safe on disk."""

    messages: list[Message]
    stored: int


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A `Confirm` is done."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records read back, in order; none where the disk has no others than of the withheld topics."""

    messages: list[Message]


@dataclass(frozen=True, slots=True)
class GivenBack:
    """So many records are the disk's alone again."""

    records: int
    shelved: bool


@dataclass(frozen=True, slots=True)
class Purged:
    """So many records that the disk had are given up."""

    records: int


@dataclass(frozen=True, slots=True)
class Marked:
    """The oldest mark not answered yet is safe on disk, or the one before is still there."""

    saved: bool


Answer = Committed | Confirmed | Batch | GivenBack | Purged | Marked


@dataclass(frozen=True, slots=True)
class Report:
    """What a command gave, and how the disk is after it."""

    answer: Answer | None
    facts: DiskFacts
    losses: list[OutboxLoss]
    again: list[OutboxLoss]
    """What was lost earlier and is to be declared once more."""


class DiskThread:
    """A thread around a `Log`. `progress` moves at least once a second while the disk answers."""

    def __init__(self, log: Log, on_report: Callable[[Report], None], on_end: Callable[[], None]) -> None:
        self.progress = 0
        self.ended = asyncio.Event()
        self._log = log
        self._on_report = on_report
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._seen, self._seen_s = 0, self._loop.time()
        self._opened: asyncio.Future[Opened] = self._loop.create_future()
        # Needs no bound: the event loop has at most one commit, one confirmation and one read under way.
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="outbox-disk", daemon=True)

    async def start(self) -> Opened:
        """Start the thread and open the log in it.

        Raises:
            OutboxError: the folder cannot be used; the thread has ended.
        """
        self._thread.start()
        try:
            return await self._opened
        except asyncio.CancelledError:
            self._commands.put(Close())
            raise
        except Exception:  # of any kind: the thread has ended
            self._thread.join()
            raise

    def silent_s(self, now_s: float) -> float:
        """For how long it has not moved; to be asked once a second at least."""
        if self.progress != self._seen:
            self._seen, self._seen_s = self.progress, now_s
        return now_s - self._seen_s

    def put(self, command: Command) -> None:
        """Give a command; returns at once."""
        self._commands.put(command)

    async def close(self) -> None:
        """End the thread after all commands given so far."""
        self._commands.put(Close())
        await self.ended.wait()
        self._thread.join()

    def _run(self) -> None:
        try:
            opened = self._log.open()
            self._report(None)
        except Exception as error:  # noqa: BLE001 (also one nobody expected: `start` waits for an answer)
            self._post(self._answer_open, error)
            return
        try:
            self._post(self._answer_open, opened)
            self._serve()
            self._log.close()
        finally:
            # An error nobody expected ends the thread with a traceback, and stops `progress`.
            self._post(self.ended.set)
            self._post(self._on_end)

    def _serve(self) -> None:
        idle = False
        while True:
            self.progress += 1
            try:
                command = self._commands.get(timeout=_WAKE_S if idle else 0)
            except queue.Empty:
                idle = not self._log.scan_next()
                command = None
            if isinstance(command, Close):
                return
            answer = None if command is None else self._do(command)
            self._log.tidy(monotonic_ns() / 1e9)
            self._report(answer)

    def _do(self, command: Work) -> Answer | None:
        answer: Answer | None = None
        match command:
            case Commit(messages):
                answer = Committed(messages, self._log.commit(messages, monotonic_ns() / 1e9))
            case Confirm(records):
                self._log.confirm(records.keys)
                for epoch, ranges in records.ranges.items():
                    self._log.confirm_ranges(epoch, ranges)
                answer = Confirmed()
            case Read(withheld):
                answer = Batch(self._log.read(withheld))
            case GiveBack(keys, shelved):
                self._log.give_back(keys, shelved=shelved)
                answer = GivenBack(len(keys), shelved)
            case Unshelve():
                self._log.unshelve()
            case Purge():
                answer = Purged(self._log.purge())
            case SaveMark(mark):
                answer = Marked(self._log.save_mark(mark))
            case Declare(loss, by):
                self._log.declared(loss, by)
            case _:
                assert_never(command)
        return answer

    def _report(self, answer: Answer | None) -> None:
        self._post(self._on_report, Report(answer, self._log.facts(), *self._log.trouble.drain()))

    def _answer_open(self, result: Opened | Exception) -> None:
        if self._opened.done():
            return  # cancelled
        if isinstance(result, Exception):
            self._opened.set_exception(result)
        else:
            self._opened.set_result(result)

    def _post(self, call: Callable[..., object], *arguments: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and nobody listens any more
            self._loop.call_soon_threadsafe(call, *arguments)
