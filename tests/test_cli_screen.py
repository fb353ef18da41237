"""Pages on terminals of any width: what is shown fits, alone and in front of `less`."""

import os
import subprocess
import termios
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from servers import PROGRAM

from collector.cli.show import show_outbox, show_status
from collector.health import (
    BrokerReport,
    ControllerReport,
    GatewayReport,
    HostReport,
    OutboxReport,
    PartReport,
    SourceReport,
    State,
)
from collector.outbox import EpochWaiting, OutboxSettings

WELL = {"state": State.OK, "since_us": 0}
FEED = WELL | {
    "kind": "any",
    "origin": "live",
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
    configuration=PartReport(**WELL),
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
    on_disk = [EpochWaiting("000001-aaaa", records=3, bytes=300, first_seq=1, last_seq=3, oldest_us=0)]
    console.print(show_outbox(OutboxSettings(), report, on_disk, []))
    shown = console.export_text()
    assert ("nothing waits" in shown, "000001-aaaa" in shown) == (not pending, bool(pending))


def test_a_disk_that_failed_has_no_room() -> None:
    console = Console(width=110, file=StringIO(), record=True)
    failed = OUTBOX.model_copy(update={"state": State.FAILED})
    for outbox in (OUTBOX, failed):
        console.print(show_status(REPORT.model_copy(update={"outbox": outbox}), 110))
    assert console.export_text().count("room for 567 hours") == 1


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
