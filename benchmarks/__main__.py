"""`python -m benchmarks`: run the benchmarks and print their tables."""

import argparse

from benchmarks import daemon, kernel, pipeline


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="./dev bench", description="Speed and memory against named references."
    )
    parser.add_argument("--only", choices=("kernel", "pipeline", "daemon"), help="run this one alone")
    parser.add_argument(
        "--seconds", type=float, default=20.0, help="how long the daemon is watched (default: %(default)g)"
    )
    options = parser.parse_args()
    if options.only in (None, "kernel"):
        kernel.main()
    if options.only in (None, "pipeline"):
        pipeline.main()
    if options.only in (None, "daemon"):
        daemon.main(options.seconds)


if __name__ == "__main__":
    main()
