"""A cut is summed up as if all of its windows were looked at together."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.activity import SUMMARISED, Activity, Cuts, CutSummary
from collector.messages import ContextNumber, ContextState, CutNumber, CutState
from collector.points import PointQuality

values = st.lists(
    st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=30
)


def window(rms: float | None, *, lost: int = 0, quality: tuple[str, ...] = ()) -> dict[str, Any]:
    channel: dict[str, Any] = {"mean": 1.0, "rms": rms, "peaks": [], "band_rms": {"1-2": 3.0}}
    return {"lost": lost, "clipped": 2, "quality": list(quality), "channels": {"x": channel}}


def number(last: float | None, quality: PointQuality = PointQuality.GOOD, **more: Any) -> ContextNumber:
    fields = {"min": last, "max": last, "unit": "/min", "changes": 0, "changed_s": None, "vouched_s": 0.0}
    return ContextNumber.model_validate(
        {"last": last, "quality": quality, "source_us": None, "offset_us": None} | fields | more
    )


def state(last: str | bool | None, quality: PointQuality = PointQuality.GOOD) -> ContextState:
    return ContextState.model_validate(
        {
            "kind": "state",
            "last": last,
            "quality": quality,
            "changes": 0,
            "changed_s": None,
            "vouched_s": 0.0,
            "source_us": None,
            "offset_us": None,
        }
    )


@given(values)
def test_figures_are_those_of_all_windows(rms: list[float | None]) -> None:
    cut = CutSummary()
    for value in rms:
        cut.add("spindle", window(value), {})
    found = cut.waveforms()["spindle"]
    assert found.windows == len(rms)
    assert found.clipped == 2 * len(rms)
    feature = found.channels["x"]["rms"]
    known = [value for value in rms if value is not None]
    if not known:
        assert (feature.mean, feature.min, feature.max) == (None, None, None)
        return
    assert (feature.min, feature.max) == (min(known), max(known))
    scale = max(map(abs, known)) or 1.0
    assert feature.mean == pytest.approx(
        scale * np.mean([value / scale for value in known]), abs=1e-9 * scale
    )


def test_what_is_told_of_a_cut() -> None:
    cut = CutSummary()
    cut.add("spindle", window(1.0, lost=3, quality=("clipped",)), {"plc/speed": number(10.0, max=12.0)})
    cut.add("spindle", window(3.0, quality=("clipped", "stuck")), {"plc/speed": number(20.0, min=5.0)})
    cut.add("table", window(5.0, lost=1), {"plc/speed": number(99.0, PointQuality.STALE)})
    spindle = cut.waveforms()["spindle"]
    assert (spindle.windows, spindle.lost, spindle.quality) == (2, 3, {"clipped": 2, "stuck": 1})
    assert set(spindle.channels["x"]) == {"mean", "rms"} < set(SUMMARISED)
    assert cut.waveforms()["table"].channels["x"]["rms"].mean == 5.0
    assert cut.context() == {"plc/speed": CutNumber(min=5.0, max=20.0, mean=15.0, windows=2, unit="/min")}


def test_only_good_states_are_told_once_each_in_their_order() -> None:
    cut = CutSummary()
    for said in (state("T3"), state("T1"), state("T3"), state("T9", PointQuality.STALE), state(None)):
        cut.add("spindle", window(1.0), {"plc/tool": said, "plc/door": state(False)})
    assert cut.context() == {"plc/tool": CutState(values=["T3", "T1"]), "plc/door": CutState(values=[False])}


def test_a_state_that_never_stays_does_not_grow_the_record() -> None:
    cut = CutSummary()
    for index in range(1000):
        cut.add("spindle", window(1.0), {"plc/line": state(f"N{index}")})
    (said,) = cut.context().values()
    assert isinstance(said, CutState)
    assert len(said.values) == 20


def test_a_cut_without_windows_says_so() -> None:
    assert CutSummary().waveforms() == {}
    assert CutSummary().context() == {}


def test_a_long_window_belongs_to_a_cut_though_short_ones_behind_it_came_first() -> None:
    """Short windows of 10, long ones of 100, in the order in which they end; a cut from 200 to 400."""
    windows = [("short", end - 10, end) for end in range(10, 601, 10)]
    windows += [("long", end - 100, end) for end in range(140, 601, 100)]
    cuts, told = Cuts(), []
    for name, first, last in sorted(windows, key=lambda window: window[2]):
        cuts.feel(name, (first + last) // 2, window(1.0), {})
        judged = last - 110  # by then every window that tells of a moment is here
        cuts.settle(judged)
        if judged == 200:
            cuts.begin(judged, Activity.TURNING)
        if judged == 400:
            cut = cuts.end()
            assert cut is not None
            told = [(name, said.windows) for name, said in sorted(cut.waveforms().items())]
    assert told == [("long", 2), ("short", 20)]
