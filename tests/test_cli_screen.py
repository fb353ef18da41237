"""Pages on terminals of any width: what is shown fits, alone and in front of `less`."""

import contextlib
import os
import subprocess
import termios
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from servers import PROGRAM

from collector.cli.outbox_page import show_outbox
from collector.cli.screen import print_page
from collector.cli.status_page import show_status
from collector.gateway.status import published_status
from collector.health import (
    BrokerReport,
    ConfigurationReport,
    ControllerReport,
    GatewayReport,
    HostReport,
    OutboxReport,
    Said,
    SourceReport,
    State,
)
from collector.outbox import EpochWaiting, OutboxSettings
from collector.texts import opcua, sources

WELL = {"state": State.OK, "since_us": 0}
FEED = WELL | {
    "kind": "any",
    "origin": "live",
    "configured_us": 0,
    "last_data_us": 0,
    "last_data_age_s": 0.1,
    "reopened": 0,
    "last_error": None,
    "last_error_us": None,
    "next_retry_s": None,
}
WAVEFORM = SourceReport(
    **FEED,
    nominal_hz=6400,
    measured_hz=6399.2,
    rate_state="measured",
    windows=4711,
    fed=1,
    advanced=1,
    discarded=0,
    lost=1204,
    open=0,
    gaps=1,
    lost_estimated=True,
    bad_bytes=0,
)
CONTROLLER = ControllerReport(
    **FEED,
    points=13,
    good=12,
    uncertain=0,
    bad=0,
    stale=0,
    withheld=1,
    readings=4_711_000,
    lost=0,
    offset_s=None,
)
OUTBOX = OutboxReport(
    **WELL,
    pending=0,
    awaiting=0,
    memory_bytes=0,
    disk_bytes=0,
    oldest_us=None,
    hours_left=567,
    dropped=0,
    corrupt=0,
    rejected=0,
)
REPORT = GatewayReport(
    company="example-works",
    gateway="gateway-1",
    version="1",
    epoch="e",
    pid=1,
    started_us=0,
    now_us=12_000_000_000,
    configuration=ConfigurationReport(**WELL),
    broker=BrokerReport(**WELL, address="broker:8883", confirmed=1, next_retry_s=None),
    outbox=OUTBOX,
    host=HostReport(**WELL, synchronised=True, disk_free_bytes=None, temperature_c=None, under_voltage=None),
    sources={"machine-1/accelerometer": WAVEFORM, "machine-1/eastron-sdm630": CONTROLLER},
)


@pytest.mark.parametrize("width", [80, 110, 160])
def test_the_status_page_cuts_nothing_off(width: int) -> None:
    console = Console(width=width, file=StringIO(), record=True)
    console.print(show_status(REPORT, width))
    lines = console.export_text().splitlines()
    assert "…" not in "".join(lines)
    (waveform,) = [line.split("  ") for line in lines if "machine-1/accelerometer" in line]
    (controller,) = [line.split("  ") for line in lines if "machine-1/eastron-sdm630" in line]
    assert [cell.strip() for cell in controller if cell][:4] == [
        "● ok",
        "machine-1/eastron-sdm630",
        "0.1 s ago",
        "12 / 12",
    ]
    assert waveform[0] == controller[0] == "● ok"


@pytest.mark.parametrize("pending", [0, 3])
def test_the_outbox_shows_no_files_while_nothing_waits(pending: int) -> None:
    console = Console(width=80, file=StringIO(), record=True)
    report = OUTBOX.model_copy(update={"pending": pending})
    on_disk = [
        EpochWaiting(
            "000001-aaaa", records=3, bytes=300, first_seq=1, last_seq=3, oldest_us=0, oldest_sync=False
        )
    ]
    console.print(show_outbox(OutboxSettings(), report, on_disk, []))
    shown = console.export_text()
    assert ("nothing waits" in shown, "000001-aaaa" in shown) == (not pending, bool(pending))


@pytest.mark.parametrize(
    ("pending", "told"),
    [
        (7, ["in memory 2"]),
        (5, []),
        (4, ["of those on disk, delivered already and taken out soon: 1"]),
    ],
)
def test_what_waits_adds_up(pending: int, told: list[str]) -> None:
    console = Console(width=110, file=StringIO(), record=True)
    report = OUTBOX.model_copy(update={"pending": pending})
    on_disk = [
        EpochWaiting(
            epoch, records=records, bytes=300, first_seq=1, last_seq=records, oldest_us=0, oldest_sync=True
        )
        for epoch, records in (("000001-aaaa", 3), ("000002-bbbb", 2))
    ]
    console.print(show_outbox(OutboxSettings(), report, on_disk, []))
    lines = [" ".join(line.split()) for line in console.export_text().splitlines()]
    assert lines[0].startswith(f"{pending} records wait")
    assert [line for line in lines if "memory" in line or "soon" in line] == told


def test_the_age_of_what_waits_is_of_a_clock_that_was_set_or_unknown() -> None:
    """Records of a start in 1970 do not wait for decades."""
    for sync, told in ((True, "the oldest for 3 h 0 min"), (False, "the oldest for an unknown time")):
        outbox = OUTBOX.model_copy(update={"pending": 3, "oldest_us": 1_200_000_000, "oldest_sync": sync})
        on_disk = EpochWaiting("000001-aaaa", 3, 300, 1, 3, oldest_us=0, oldest_sync=sync)
        console = Console(width=160, file=StringIO(), record=True)
        console.print(show_status(REPORT.model_copy(update={"outbox": outbox}), 160))
        assert told in console.export_text()
        published = published_status(REPORT.model_copy(update={"outbox": outbox}), "healthy", sync=True)
        assert published.outbox["oldest_sync"] is sync
        console.print(show_outbox(OutboxSettings(), None, [on_disk], []))
        shown = console.export_text()
        assert ("the oldest for an unknown time" in shown) is not sync
        assert ("1970-01-01" in shown) is sync


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    """A configuration with a mistake about which there is much to say."""
    folder = tmp_path / "a-folder-with-a-name-that-is-longer-than-a-line"
    (folder / "machines").mkdir(parents=True)
    (folder / "collector.toml").write_text(
        '[gateway]\ncompany = "works"\nname = "gw"\n[broker]\nhost = "localhost"\nqos = 2\n', encoding="utf-8"
    )
    return folder


def on_a_terminal(columns: int, *command: str | Path) -> list[str]:
    """What a program prints on a terminal, by its lines."""
    keyboard, terminal = os.openpty()
    with os.fdopen(keyboard, "rb", buffering=0) as shown:
        termios.tcsetwinsize(terminal, (24, columns))
        subprocess.run(
            command,
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            check=False,
            timeout=60,
            env=dict(os.environ),  # without the COLUMNS that readline, loaded by pytest, sets behind its back
        )
        os.close(terminal)
        printed = b""
        with contextlib.suppress(OSError):  # the end of a terminal
            while piece := shown.read(4096):
                printed += piece
    return printed.decode().splitlines()


@pytest.mark.parametrize("columns", [40, 72])
def test_sentences_are_broken_at_words_on_a_terminal_and_nowhere_else(wrong: Path, columns: int) -> None:
    command: tuple[str | Path, ...] = (PROGRAM, "check", wrong)
    whole = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False, timeout=60).stderr
    assert max(map(len, whole.splitlines())) > 2 * 72
    assert whole.count("\n") == 4, "two problems, how many there are, what to do"
    lines = on_a_terminal(columns, *command)
    assert " ".join(" ".join(lines).split()) == " ".join(whole.split()), "no word is broken"
    assert [line for line in lines if len(line) > columns and " " in line] == []


def test_a_terminal_of_unknown_width_is_taken_for_80(wrong: Path) -> None:
    lines = [line for line in on_a_terminal(0, PROGRAM, "check", wrong) if " " in line]
    assert 70 < max(map(len, lines)) <= 80


def test_what_a_page_says_stays_in_one_line_for_another_program(capsys: pytest.CaptureFixture[str]) -> None:
    reason = sources.NOT_FOUND(
        port="/dev/ttyUSB0", present=", ".join(f"/dev/ttyUSB{n}" for n in range(1, 20))
    )
    broken = REPORT.model_copy(
        update={"configuration": ConfigurationReport(state=State.FAILED, since_us=0, reason=Said.of(reason))}
    )
    print_page(show_status(broken, 160))
    assert f"  → {reason.advice}\n" in capsys.readouterr().out
    assert len(reason.advice) > 160
    console = Console(width=60, file=StringIO(), record=True, force_terminal=True)
    console.print(show_status(broken, 60))
    shown = console.export_text()
    assert " ".join(reason.advice.split()) in " ".join(shown.split())


@pytest.mark.parametrize(
    ("last_data_age_s", "configured_us", "said"),
    [
        (None, 0, "delivered nothing since the start, 3 h 20 min ago."),
        (4000.0, 0, "delivered nothing for 66 min; before"),
        (None, 11_996_000_000, "delivered nothing since it was added or configured anew, 4.0 s ago."),
        (1.0, 11_996_000_000, "delivered nothing for 1.0 s; before"),
    ],
)
def test_a_machine_that_is_off_is_a_sentence_with_since_when(
    last_data_age_s: float | None, configured_us: int, said: str
) -> None:
    off = CONTROLLER.model_copy(
        update={
            "state": State.FAILED,
            "reason": Said.of(opcua.REFUSED(url="opc.tcp://cnc:4840")),
            "last_data_age_s": last_data_age_s,
            "configured_us": configured_us,
        }
    )
    console = Console(width=80, file=StringIO(), record=True, force_terminal=True)
    console.print(show_status(REPORT.model_copy(update={"sources": {"mill/cnc": off}}), 80))
    shown = " ".join(console.export_text().split())
    assert f"→ {opcua.REFUSED.advice}" in shown
    assert "that the machine is on" in shown
    assert said in shown


def test_a_change_that_is_not_in_use_is_told_beside_the_state() -> None:
    console = Console(width=110, file=StringIO(), record=True)
    changed = ConfigurationReport(**WELL, changed_us=REPORT.now_us - 240_000_000)
    console.print(show_status(REPORT.model_copy(update={"configuration": changed}), 110))
    said = "configuration  ● ok  the files were changed 4 min ago and are not in use"
    assert said in console.export_text()


def test_a_disk_that_failed_has_no_room() -> None:
    console = Console(width=110, file=StringIO(), record=True)
    failed = OUTBOX.model_copy(update={"state": State.FAILED})
    for outbox in (OUTBOX, failed):
        console.print(show_status(REPORT.model_copy(update={"outbox": outbox}), 110))
    assert console.export_text().count("room for 567 hours") == 1


def test_a_room_of_minutes_is_not_told_as_none() -> None:
    console = Console(width=110, file=StringIO(), record=True)
    outbox = OUTBOX.model_copy(update={"hours_left": 0.4})
    console.print(show_status(REPORT.model_copy(update={"outbox": outbox}), 110))
    assert "room for less than an hour without a broker" in console.export_text()


def test_a_broker_that_is_away_is_told_with_since_when() -> None:
    console = Console(width=80, file=StringIO(), record=True)
    since_us = REPORT.now_us - 240_000_000
    away = REPORT.broker.model_copy(update={"state": State.FAILED, "since_us": since_us})
    console.print(show_status(REPORT.model_copy(update={"broker": away}), 80))
    assert "✖ failed  broker:8883, not connected for 4 min, 1 records" in console.export_text()


def test_before_another_program_a_page_is_as_wide_as_the_terminal_behind_it(tmp_path: Path) -> None:
    (tmp_path / "collector.toml").write_text(
        '[gateway]\ncompany = "works"\nname = "gw"\n[broker]\nhost = "localhost"\n', encoding="utf-8"
    )
    command: list[str | Path] = [PROGRAM, "features", "m/s", "--config", tmp_path]
    (tmp_path / "machines").mkdir()
    (tmp_path / "machines" / "m.toml").write_text(
        '[machine]\nname = "m"\n[[waveforms]]\nname = "s"\nchannels = [{ name = "x", unit = "g" }]\n'
        'window = { samples = 256 }\nsource = { kind = "simulated", rate_hz = 6400 }\n',
        encoding="utf-8",
    )
    keyboard, terminal = os.openpty()
    try:
        termios.tcsetwinsize(terminal, (24, 72))
        shown = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=terminal,
            text=True,
            check=True,
        )
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert max(map(len, shown.stdout.splitlines())) == 72
