"""The page of definitions, `docs/features.md`, made from the tables so that it cannot fall behind them.

To write it anew after a change:
`python -c "from collector.features.page import page; print(page(), end='')" > docs/features.md`.
"""

from collector.features.table import FEATURES, FLAGS

_HEAD = """# Features

What the numbers in a `features` record mean. This page is made from the table in
`collector/features/table.py`; the same definitions travel with the data in every stream's `meta` record.
A definition whose numbers change gets a new version.

Each record describes one window of n samples x of each channel, taken at the given rate without a gap inside.
Unit `same` is the channel's unit. Null means undefined, never zero. A channel with a sample that is not a
finite number has null for everything. w is the periodic Hann window w[i] = (1 - cos(2πi/n))/2, and X the
discrete Fourier transform of (x - m)·w.
"""


def page() -> str:
    """The page as Markdown."""
    lines = [_HEAD]
    for feature in FEATURES:
        lines += [
            f"## {feature.name}",
            "",
            feature.definition,
            "",
            f"- formula: {feature.formula}",
            f"- unit: {feature.unit}",
            f"- version: {feature.version}",
            f"- source: {feature.source}",
            "",
        ]
    lines += [
        "## Quality flags",
        "",
        "A flag marks the whole window; the values show which channel it is.",
        "",
    ]
    lines += [f"- `{flag.name}` (version {flag.version}): {flag.definition}" for flag in FLAGS]
    return "\n".join(lines) + "\n"
