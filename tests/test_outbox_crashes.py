"""Every power cut at every moment: the log keeps its promises; one that is broken on purpose is found out."""

import logging
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from crash_model import BrokenPromiseError, CrashModel, SmallLog
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from simulated_disk import SimulatedDisk, SimulatedFile

from collector.outbox import Key
from collector.outbox.files import Files, NewFile

EXAMPLES = int(os.environ.get("COLLECTOR_CRASH_EXAMPLES", "25"))


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Each of thousands of power cuts would be told in the log."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


def live(model: type[CrashModel], examples: int, **more: Any) -> None:
    """So many lives; the first broken promise is raised as it is."""
    how = settings(
        max_examples=examples,
        stateful_step_count=25,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        **more,
    )
    run_state_machine_as_test(model, settings=how)


def test_promises_hold_whatever_a_power_cut_leaves() -> None:
    live(CrashModel, EXAMPLES)
    sys.stderr.write(f"{CrashModel.explored:,} crash states at {CrashModel.points:,} crash points\n")
    assert CrashModel.explored > EXAMPLES


def test_what_a_failed_write_left_does_not_come_back() -> None:
    """Found by the model: their bytes may be there, and the records were stored anew and delivered."""
    model = CrashModel()
    model.append_and_commit(sizes=[20], topic="a")
    model.disk_fails("sync", 1)
    model.append_and_commit(sizes=[20, 20], topic="a")
    model.disk_is_well_again()
    model.deliver(sorted(model.copies)[1:])
    for _ in range(2):
        model.tidy(6.0)
    model.stop_and_start()


# Logs that are broken on purpose


class ConfirmsBeforePuback(CrashModel):
    """Lets go of a record when it is sent; the broker has it a little later."""

    states_at_a_point = 4

    def start(self) -> None:
        self.on_the_way: list[Key] = []
        super().start()

    def deliver(self, keys: list[Key]) -> None:
        self.taken |= set(self.on_the_way)
        self.on_the_way = keys
        self.confirm(keys)


class _OldEpoch(SmallLog):
    def _new_epoch(self) -> str:
        return f"000001-{secrets.token_hex(4)}"


class NumbersAnew(CrashModel):
    """Begins to count again in the same epoch after a restart."""

    log_of = _OldEpoch


class _LazyFile(SimulatedFile):
    def sync(self) -> None:
        """Return at once; the bytes go to the medium whenever they do."""


class _LazyDisk(SimulatedDisk):
    def create(self, path: Path) -> NewFile:
        file = super().create(path)
        assert isinstance(file, SimulatedFile)
        return _LazyFile(file.disk, file.name, file.inode) if path.suffix == ".log" else file


class AcknowledgesBeforeSync(CrashModel):
    """Calls a record stored once it is written."""

    disk_of = _LazyDisk


class _NamelessDisk(SimulatedDisk):
    def sync_directory(self, path: Path) -> None:
        """Return at once; the names are made whenever they are."""


class SyncsNoDirectory(CrashModel):
    """Syncs what is in files, and not their names."""

    disk_of = _NamelessDisk


class _StubbornFile(SimulatedFile):
    def sync(self) -> None:
        self.inode.doubtful = True  # the first sync has failed
        super().sync()


class _StubbornDisk(SimulatedDisk):
    def create(self, path: Path) -> NewFile:
        file = super().create(path)
        assert isinstance(file, SimulatedFile)
        return _StubbornFile(file.disk, file.name, file.inode) if path.suffix == ".log" else file


class SyncsAgainAfterAnError(CrashModel):
    """Believes the second sync of a file whose first one failed."""

    disk_of = _StubbornDisk


class _ForgetfulLog(SmallLog):
    def __init__(self, files: Files) -> None:
        super().__init__(files)
        self._ledger.save = lambda **_: None  # type: ignore[method-assign]


class DeclaresFromMemory(CrashModel):
    """Keeps the losses that are to be declared in memory alone."""

    log_of = _ForgetfulLog


class SendsLossesUnstored(CrashModel):
    """Sends a record that declares a loss while it is in memory alone."""

    def sendable(self, keys: Iterable[Key]) -> set[Key]:
        fresh = {(m.epoch, m.seq) for m in self.fresh}
        return {key for key in keys if key in self.copies or key in fresh}


class _UnmarkedLog(SmallLog):
    def __init__(self, files: Files) -> None:
        super().__init__(files)
        self._folder.save_delivered = lambda: True  # type: ignore[method-assign]


class MarksNothing(CrashModel):
    """Does not write down what was delivered of a segment."""

    states_at_a_point = 4
    log_of = _UnmarkedLog


def live_through_an_overflow(model: CrashModel) -> None:
    """The outbox drops its oldest records; what declares that is sent when it may be, and stored."""
    for _ in range(6):
        model.append_and_commit(sizes=[150] * 6, topic="a")
    model.give_back(count=100)  # those of segments that were dropped are gone with it
    assert model.events
    model.send_losses()
    for _ in range(2):
        model.tidy(6.0)
        model.append_and_commit(sizes=[20], topic="a")
        model.send_losses()


def test_an_overflow_is_told_once_whatever_a_power_cut_leaves() -> None:
    model = CrashModel()
    live_through_an_overflow(model)
    assert model.events.keys() <= model.taken


def test_a_loss_that_is_sent_unstored_is_told_twice() -> None:
    """It is delivered, the power fails, and the next start declares it anew."""
    with pytest.raises(BrokenPromiseError, match="told twice"):
        live_through_an_overflow(SendsLossesUnstored())


@pytest.mark.parametrize(
    ("broken", "kinds", "why"),
    [
        (
            ConfirmsBeforePuback,
            {"lost"},
            "the power fails when the delivery mark is saved and the broker has nothing: nobody has it",
        ),
        (
            NumbersAnew,
            {"reused"},
            "two records have one identity: the store takes the second for a repetition, and it is lost",
        ),
        (
            AcknowledgesBeforeSync,
            {"lost"},
            "the bytes of a record that counts as stored are in memory alone when the power fails",
        ),
        (
            SyncsNoDirectory,
            {"lost", "reused", "doubled"},
            "a file without a name is gone with all its bytes; an old delivery mark or epoch comes back",
        ),
        (
            SyncsAgainAfterAnError,
            {"lost"},
            "after a failed sync the system takes the bytes for written: the next one does nothing",
        ),
        (
            DeclaresFromMemory,
            {"lost"},
            "a segment is dropped, and the power fails before the record that declares it is stored",
        ),
        (
            MarksNothing,
            {"doubled"},
            "what was delivered of a segment that still has others comes out again after every restart",
        ),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_what_is_broken_is_found_out(broken: type[CrashModel], kinds: set[str], why: str) -> None:
    with pytest.raises(BrokenPromiseError) as found:
        live(broken, 400, derandomize=True)
    assert found.value.kind in kinds, why
