"""A real `collector run` with three streams: how soon it answers, what it takes of memory and of a core.

The reference is a process that only imports numpy, paho-mqtt and pydantic. The two are started in turns;
medians are printed.
"""

import sys
from collections.abc import Iterable
from statistics import median

from benchmarks.rig import RATES_HZ, STREAMS, WINDOW
from benchmarks.tables import Cell, Column, Table
from benchmarks.watched import Footprint, Start, watch_daemon, watch_start

_STARTS = 5
_BARE = "import numpy, paho.mqtt.client, pydantic; print(flush=True); input()"
_TOPICS = (
    "shopfloor/v1/works/gateway-1/status",
    *(f"shopfloor/v1/works/gateway-1/mill-1/at-{rate_hz}/features" for rate_hz in RATES_HZ),
)


def tables(seconds: float) -> Iterable[Table]:
    starts, bare = [], []
    for _ in range(_STARTS - 1):
        bare.append(watch_start(sys.executable, "-c", _BARE))
        starts.append(watch_daemon(STREAMS, _TOPICS, 0.0)[0])
    bare.append(watch_start(sys.executable, "-c", _BARE))
    start, footprint = watch_daemon(STREAMS, _TOPICS, seconds)
    starts.append(start)
    yield Table(
        f"The daemon with {len(RATES_HZ)} simulated streams of 3 channels",
        f"windows of {WINDOW} samples; the reference is a process that imports numpy, paho-mqtt and "
        "pydantic, until the imports are done",
        (Column(""), Column("daemon", 2), Column("reference", 2), Column("aim: at most")),
        _rows(starts, footprint, bare, seconds),
    )


def _rows(
    starts: list[Start], footprint: Footprint, bare: list[tuple[float, Footprint]], seconds: float
) -> list[tuple[Cell, ...]]:
    bare_start_s = median(start_s for start_s, _ in bare)
    bare_now, bare_most = (
        median(getattr(print_, name) for _, print_ in bare) for name in ("now_mib", "most_mib")
    )
    rows: list[tuple[Cell, ...]] = [
        (
            "start to the first answer on the control socket, s",
            median(s.answer_s for s in starts),
            bare_start_s,
            "2",
        ),
        ("CPU used until then, s", median(s.cpu_s for s in starts), None, ""),
        ("start to the retained status at the broker, s", median(s.first_s[0] for s in starts), None, ""),
    ]
    for number, rate_hz in enumerate(RATES_HZ, 1):
        window_s = WINDOW / rate_hz
        waited_s = median(s.first_s[number] for s in starts)
        name = f"start to the first features at {rate_hz} Hz, s"
        rows.append((name, waited_s, None, f"{window_s + 1:.2f} (window + 1)"))
    beside = [(bare_now, "75"), (bare_most, ""), (None, "")]
    return [*rows, *((*row, *more) for row, more in zip(footprint.rows(seconds), beside, strict=True))]
