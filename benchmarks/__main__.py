"""`python -m benchmarks`: run the benchmarks, print their tables, and write them on a page if asked to."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks import (
    backlog,
    daemon,
    growth,
    kernel,
    latency,
    memory,
    modbus,
    opcua,
    pipeline,
    script,
    sd_card,
    store,
    sustained,
)
from benchmarks.page import Page
from benchmarks.tables import Benchmark

BENCHMARKS: dict[str, Benchmark] = {
    "kernel": kernel.tables,
    "pipeline": pipeline.tables,
    "script": script.tables,
    "growth": growth.tables,
    "daemon": daemon.tables,
    "latency": latency.tables,
    "sustained": sustained.tables,
    "memory": memory.tables,
    "modbus": modbus.tables,
    "opcua": opcua.tables,
    "store": store.tables,
    "backlog": backlog.tables,
    "sd-card": sd_card.tables,
}
"""In the order in which they run. A new one is a module with a function `tables`, and a line here."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="./dev bench", description="Speed and memory against named references."
    )
    parser.add_argument(
        "--only", choices=BENCHMARKS, nargs="+", default=list(BENCHMARKS), help="run these alone"
    )
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="how long daemons are watched (default: %(default)g)"
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write a page with this computer's description and all figures",
    )
    options = parser.parse_args(arguments)
    try:
        page = Page(options.report) if options.report else None
    except OSError as error:
        parser.error(f"{options.report} cannot be written: {error.strerror}")
    for name in options.only:
        for table in BENCHMARKS[name](options.seconds):
            print(table.text(), flush=True)
            if page is not None:
                page.add(table)


if __name__ == "__main__":
    main()
