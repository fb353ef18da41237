"""Where the documentation lies for whoever reads a sentence: beside the program, or in its source."""

import os
import sys
from pathlib import Path

_SOURCE = Path(__file__).resolve().parents[2]


def documentation(prefix: Path = Path(sys.prefix), source: Path = _SOURCE) -> str:
    """The folder of the pages that sentences name.

    install.sh copies them to `doc` beside the program; a clone of the source has them in `docs`.
    """
    for folder in (prefix / "doc" / "docs", source / "docs"):
        if os.path.isdir(folder):  # noqa: PTH112 (pathlib's raises where this user may not look)
            return str(folder)
    return "docs"
