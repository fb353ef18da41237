"""The page of definitions, `docs/features.md`, made from the tables so that it cannot fall behind them.

To write it anew after a change:
`python -c "from collector.features.page import page; print(page(), end='')" > docs/features.md`.
"""

from collector.features.feature import Feature
from collector.features.quality import FLAGS
from collector.features.reasons import REASONS
from collector.features.settings import ALL_GROUPS
from collector.features.table import FEATURES
from collector.samples import UCUM

_HEAD = """# Features

What the numbers in a `features` record mean. This page is made from the table in
`collector/features/table.py`; the same definitions travel with the data in every stream's `meta` record,
those of the features that the stream has. A definition whose numbers change gets a new version.

Each record describes one window of n samples x of each channel, taken at the given rate without a gap
inside. Unit `same` is the channel's unit. Null means undefined, never zero; where it is not the samples
that are the reason, `nulls` in the record names it. A channel with a sample that is not a finite number has
null for everything. w is the periodic Hann window w[i] = (1 - cos(2πi/n))/2, X the discrete Fourier
transform F of (x - m)·w, and r the frequency of the spindle's rotation, its speed over 60.

Where numbers depend on the configuration, as on the band of an envelope or on a bearing, the definition in
`meta` has it under `settings`. Numbers have 64 bits: what is of differences of nearly equal samples, as of a
vibration of 1e-9 about a mean of 1, has fewer digits.

The first set is always there. The other groups are chosen by `groups` in `[waveforms.features]`; without
that key all of them are there, for the channels whose unit allows it. `collector features` shows what a
configuration chooses.
"""


def page() -> str:
    """The page as Markdown."""
    lines = [_HEAD]
    for group in (None, *ALL_GROUPS):
        rows = [feature for feature in FEATURES if feature.group == group]
        lines += [f"## {f'Group {group}' if group else 'First set'}", ""]
        for feature in rows:
            lines += _entry(feature)
    lines += [
        "## Quality flags",
        "",
        "A flag marks the whole window; the values show which channel it is.",
        "",
    ]
    lines += [f"- `{flag.name}` (version {flag.version}): {flag.definition}" for flag in FLAGS]
    lines += ["", "## Why a feature is null", ""]
    lines += [f"- `{reason}`: {text}" for reason, text in REASONS.items()]
    return "\n".join(lines) + "\n"


def _entry(feature: Feature) -> list[str]:
    has = [] if feature.units is None else [f"- channels: in {_units(feature)}"]
    needs = [f"- needs: `[waveforms.features.{table}]`" for table in feature.needs]
    made_with = (
        [f"- settings: {', '.join(f'`{name}`' for name in feature.made_with)}"] if feature.made_with else []
    )
    return [
        f"### {feature.name}",
        "",
        feature.definition,
        "",
        f"- formula: {feature.formula}",
        f"- unit: {feature.unit}",
        *has,
        *needs,
        *made_with,
        f"- version: {feature.version}",
        f"- source: {feature.source}",
        "",
    ]


def _units(feature: Feature) -> str:
    return " or ".join(unit for unit in UCUM if feature.is_for(unit))
