"""The disk thread: the only one that touches the outbox's files. It takes commands and posts reports.

A command is put into a queue by the event loop; a report is handed back through `call_soon_threadsafe`.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import assert_never

from collector.clock import monotonic_ns
from collector.outbox.commands import (
    Answer,
    Batch,
    Close,
    Command,
    Commit,
    Committed,
    Confirm,
    Confirmed,
    Declare,
    GiveBack,
    GivenBack,
    Marked,
    Purge,
    Purged,
    Read,
    Report,
    SaveMark,
    Unshelve,
    Work,
)
from collector.outbox.log import Log, Opened

_WAKE_S = 0.5
"""Without commands the thread still looks after its files, and shows that it is alive, so often."""


class DiskThread:
    """A thread around a `Log`. `progress` moves at least once a second while the disk answers."""

    def __init__(self, log: Log, on_report: Callable[[Report], None], on_end: Callable[[], None]) -> None:
        self.progress = 0
        self.ended = asyncio.Event()
        self._log = log
        self._on_report = on_report
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
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
