"""What a machine is doing: hysteresis, dwell, and never a fresh state of stale inputs; by properties."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.activity import (
    QUESTIONS,
    Activity,
    EvidenceSettings,
    FeatureInputs,
    LearnedThreshold,
    Level,
    Names,
    Question,
    Recogniser,
    Rule,
    StateSettings,
    moments,
    rules_of,
)
from collector.activity.recogniser import Answer, Change, activity_of
from collector.history import History, Standing
from collector.points import Point, PointKind, PointQuality, Reading

S = 1_000_000_000
LEVEL = Level(above=10.0, below=5.0)
TURNING = Rule(Question.TURNING, "plc/speed", LEVEL)
CUTTING = Rule(Question.CUTTING, "plc/load", LEVEL)
RULES = (
    Rule(Question.ON, "plc/power", LEVEL),
    Rule(Question.ALARM, "plc/alarm", None),
    TURNING,
    CUTTING,
)


def said(value: float | str | bool | None, quality: PointQuality = PointQuality.GOOD) -> Standing:
    return Standing(value, PointQuality.BAD if value is None else quality, 0, 0)


def run(
    rules: Sequence[Rule], dwell_s: float, seen: Sequence[tuple[float, Mapping[str, Standing]]]
) -> tuple[Recogniser, list[Change]]:
    recogniser = Recogniser(rules, round(dwell_s * S), 0)
    changes: list[Change] = []
    for at_s, known in seen:
        changes += recogniser.observe(round(at_s * S), known)
    return recogniser, changes


def speeds(*values: float | None) -> list[tuple[float, Mapping[str, Standing]]]:
    """One value a second."""
    return [(at, {"plc/speed": said(value)}) for at, value in enumerate(values)]


# The answers and the state

ANSWERS = {
    (True, False, True, True): Activity.CUTTING,
    (True, False, True, False): Activity.TURNING,
    (True, False, False, None): Activity.IDLE,
    (True, False, False, True): Activity.IDLE,
    (True, True, True, True): Activity.ALARM,
    (True, True, None, None): Activity.ALARM,
    (False, None, None, None): Activity.OFF,
    (False, True, True, True): Activity.OFF,
    (None, False, True, True): Activity.UNKNOWN,
    (True, None, True, True): Activity.UNKNOWN,
    (True, False, None, True): Activity.UNKNOWN,
    (True, False, True, None): Activity.UNKNOWN,
}


@pytest.mark.parametrize(("yes", "activity"), ANSWERS.items())
def test_the_first_answer_that_decides_makes_the_state(
    yes: tuple[bool | None, ...], activity: Activity
) -> None:
    answers = [Answer(rule, answer, None) for rule, answer in zip(RULES, yes, strict=True)]
    assert activity_of(answers)[0] is activity


@pytest.mark.parametrize(
    ("asked", "activity"),
    [
        ({}, Activity.UNKNOWN),
        ({Question.ON: True}, Activity.IDLE),
        ({Question.ALARM: False}, Activity.IDLE),
        ({Question.TURNING: True}, Activity.TURNING),
        ({Question.CUTTING: False}, Activity.IDLE),
        ({Question.CUTTING: True}, Activity.CUTTING),
        ({Question.ON: True, Question.CUTTING: False}, Activity.IDLE),
    ],
)
def test_questions_that_are_not_asked_are_passed_over(
    asked: dict[Question, bool], activity: Activity
) -> None:
    answers = [Answer(Rule(question, "a/b", LEVEL), yes, 1.0) for question, yes in asked.items()]
    found, decisive = activity_of(answers)
    assert found is activity
    assert list(decisive) == answers


@given(st.lists(st.sampled_from([True, False, None]), min_size=4, max_size=4))
def test_only_the_answers_that_decide_are_told(yes: list[bool | None]) -> None:
    answers = [Answer(rule, answer, None) for rule, answer in zip(RULES, yes, strict=True)]
    activity, decisive = activity_of(answers)
    assert list(decisive) == answers[: len(decisive)]
    assert all(answer.yes is not None for answer in decisive[:-1])
    for other in (True, False, None):  # what comes after the last one changes nothing
        rest = [Answer(answer.rule, other, None) for answer in answers[len(decisive) :]]
        assert activity_of([*decisive, *rest])[0] is activity


# Hysteresis

values = st.floats(-20, 20)


@given(st.lists(st.floats(5.0, 9.999), min_size=1), st.booleans())
def test_inside_the_band_nothing_ever_changes(inside: list[float], yes: bool) -> None:
    recogniser, changes = run([TURNING], 0.0, speeds(20.0 if yes else 0.0, *inside))
    assert len(changes) == 1
    assert recogniser.activity is (Activity.TURNING if yes else Activity.IDLE)


@given(st.lists(values, min_size=1))
def test_an_answer_changes_only_beyond_the_other_level(given_values: list[float]) -> None:
    _, changes = run([TURNING], 0.0, speeds(*given_values))
    for change in changes:
        (answer,) = change.answers
        assert isinstance(answer.value, float)
        if change.activity is Activity.TURNING:
            assert answer.value >= LEVEL.above
        elif change.previous is Activity.TURNING:
            assert answer.value < LEVEL.below
        else:  # the first value of all: between the levels it means no
            assert answer.value < LEVEL.above


def test_after_a_time_without_data_the_levels_are_met_anew() -> None:
    _, changes = run([TURNING], 0.0, speeds(20.0, 7.0, None, 7.0))
    assert [change.activity for change in changes] == [Activity.TURNING, Activity.UNKNOWN, Activity.IDLE]


# Dwell

activities = st.lists(
    st.tuples(st.floats(0.01, 3.0), st.sampled_from([0.0, 20.0, None]), st.sampled_from([0.0, 20.0])),
    min_size=1,
    max_size=60,
)


def observed(
    steps: list[tuple[float, float | None, float]],
) -> list[tuple[float, Mapping[str, Standing]]]:
    at_s = 0.0
    seen: list[tuple[float, Mapping[str, Standing]]] = []
    for step_s, speed, load in steps:
        at_s += step_s
        seen.append((at_s, {"plc/speed": said(speed), "plc/load": said(load)}))
    return seen


def plain(known: Mapping[str, Standing]) -> Activity:
    """What is seen at one moment; the values lie beyond the band, so the past does not matter."""
    if known["plc/speed"].value is None:
        return Activity.UNKNOWN
    if known["plc/speed"].value == 0.0:
        return Activity.IDLE
    return Activity.TURNING if known["plc/load"].value == 0.0 else Activity.CUTTING


@given(activities, st.sampled_from([0.0, 0.5, 1.0, 2.5]))
def test_a_state_is_left_only_when_it_has_not_come_back_for_the_dwell(
    steps: list[tuple[float, float | None, float]], dwell_s: float
) -> None:
    seen = observed(steps)
    _, changes = run([TURNING, CUTTING], dwell_s, seen)
    for change in changes:
        if Activity.UNKNOWN in {change.activity, change.previous}:
            continue
        following = [
            plain(known)
            for at_s, known in seen
            if change.at_ns <= round(at_s * S) < change.at_ns + round(dwell_s * S)
        ]
        assert change.previous not in following
        assert following[:1] in ([], [change.activity])
    for first, second in pairwise(changes):
        if first.previous is second.activity and Activity.UNKNOWN not in {first.previous, first.activity}:
            assert second.at_ns - first.at_ns >= round(dwell_s * S)


@given(activities, st.sampled_from([0.0, 0.5, 2.5]))
def test_changes_follow_one_another_in_time_and_state(
    steps: list[tuple[float, float | None, float]], dwell_s: float
) -> None:
    recogniser, changes = run([TURNING, CUTTING], dwell_s, observed(steps))
    for first, second in pairwise(changes):
        assert first.at_ns <= second.at_ns
        assert first.activity is second.previous
        assert second.previous_since_ns == first.at_ns
        assert second.activity is not second.previous
    if changes:
        assert (recogniser.activity, recogniser.since_ns) == (changes[-1].activity, changes[-1].at_ns)


@given(activities, st.sampled_from([0.0, 0.5, 2.5]))
def test_what_is_settled_is_not_changed_later(
    steps: list[tuple[float, float | None, float]], dwell_s: float
) -> None:
    recogniser = Recogniser([TURNING, CUTTING], round(dwell_s * S), 0)
    settled_ns = 0
    for at_s, known in observed(steps):
        changes = recogniser.observe(round(at_s * S), known)
        assert all(change.at_ns >= settled_ns for change in changes)
        assert settled_ns <= recogniser.settled_ns <= round(at_s * S)
        settled_ns = recogniser.settled_ns


def test_a_glitch_is_no_change_and_a_lasting_one_began_when_it_began() -> None:
    fast = [(at / 10, {"plc/speed": said(0.0 if at in {20, 21} or at >= 40 else 20.0)}) for at in range(80)]
    _, changes = run([TURNING], 1.0, fast)
    assert [(change.activity, change.at_ns / S) for change in changes] == [
        (Activity.TURNING, 0.0),
        (Activity.IDLE, 4.0),
    ]


def test_what_is_short_may_come_between_two_others() -> None:
    """The spindle turns for a moment between cutting and standing: the cut is over all the same."""
    loads = {at: (20.0, 20.0) if at < 30 else (20.0, 0.0) if at < 33 else (0.0, 0.0) for at in range(60)}
    seen = [(at / 10, {"plc/speed": said(s), "plc/load": said(load)}) for at, (s, load) in loads.items()]
    _, changes = run([TURNING, CUTTING], 1.0, seen)
    assert [(change.activity, change.at_ns / S) for change in changes] == [
        (Activity.CUTTING, 0.0),
        (Activity.TURNING, 3.0),
        (Activity.IDLE, 3.3),
    ]


# Unknown


@given(
    st.lists(st.tuples(st.floats(0.0, 5.0), st.sampled_from([0.0, 20.0])), min_size=1, max_size=20),
    st.sampled_from([0.0, 1.0]),
)
def test_a_state_never_looks_fresh_when_its_input_is_stale(
    readings: list[tuple[float, float]], dwell_s: float
) -> None:
    """Every moment later than the limit after the last reading is unknown, to the nanosecond."""
    history = History(Point("speed", PointKind.NUMBER), S, 3 * S)
    at_ns = 0
    said_ns = []
    for step_s, value in readings:
        at_ns += round(step_s * S)
        said_ns.append(at_ns)
        history.add(Reading("speed", value, PointQuality.GOOD, at_ns))
    recogniser = Recogniser([TURNING], round(dwell_s * S), -1)
    until_ns = at_ns + 10 * S
    for moment_ns in moments([history], -1, until_ns):
        recogniser.observe(moment_ns, {"plc/speed": history.at(moment_ns)})
        fresh = any(0 <= moment_ns - then <= history.limit_ns for then in said_ns)
        assert (recogniser.activity is not Activity.UNKNOWN) is fresh
    assert recogniser.activity is Activity.UNKNOWN
    assert recogniser.since_ns == at_ns + history.limit_ns + 1


@pytest.mark.parametrize(
    "known",
    [
        {},
        {"plc/speed": said(None)},
        {"plc/speed": said(20.0, PointQuality.STALE)},
        {"plc/speed": said(20.0, PointQuality.UNCERTAIN)},
        {"plc/speed": said("running")},
        {"plc/other": said(20.0)},
    ],
)
def test_what_is_not_good_tells_nothing(known: Mapping[str, Standing]) -> None:
    recogniser, changes = run([TURNING], 1.0, [(0, {"plc/speed": said(20.0)}), (5, known)])
    assert recogniser.activity is Activity.UNKNOWN
    assert changes[-1].at_ns == 5 * S  # at once: it is no change of the machine that could be a glitch


@pytest.mark.parametrize(
    ("criterion", "value", "yes"),
    [
        (None, True, True),
        (None, False, False),
        (None, 3.0, None),
        (Names(frozenset({"fault"})), "fault", True),
        (Names(frozenset({"fault"})), "ready", False),
        (Names(frozenset({"fault"})), 3.0, None),
        (Names(frozenset({"false"})), False, True),
        (LEVEL, "running", None),
        (LEVEL, True, None),
    ],
)
def test_flags_states_and_numbers_answer_in_their_own_way(
    criterion: Level | Names | None, value: float | str | bool, yes: bool | None
) -> None:
    assert Rule(Question.ALARM, "plc/alarm", criterion).answer(value, before=None) is yes


def test_a_spindle_that_turns_the_other_way_turns() -> None:
    """Controllers give its speed a sign; of other questions, and of features, it means something."""
    speed, mean = (
        EvidenceSettings(point="plc/speed", above=100),
        EvidenceSettings(feature="a/x/mean", above=1),
    )
    power = EvidenceSettings(point="plc/power", above=10)
    turning, cutting = rules_of(StateSettings(turning=speed, cutting=power), {})
    assert [turning.answer(v, before=None) for v in (-3000.0, -99.0, 3000.0)] == [True, False, True]
    assert turning.answer(-95.0, before=True) is True
    assert cutting.answer(-50.0, before=None) is False
    (by_feature,) = rules_of(StateSettings(turning=mean), {})
    assert by_feature.answer(-5.0, before=None) is False
    (below_zero,) = rules_of(StateSettings(turning=EvidenceSettings(point="plc/speed", above=-10)), {})
    assert [below_zero.answer(value, before=None) for value in (-3000.0, 0.0)] == [False, True]


def test_the_machine_s_file_goes_before_what_was_learned() -> None:
    learned = LearnedThreshold.model_validate(
        {
            "input": "plc/load",
            "above": 3.0,
            "below": 2.0,
            "right": 1.0,
            "values_no": 20,
            "values_yes": 20,
            "learned_at": "2026-01-01T00:00:00Z",
        }
    )
    thresholds = dict.fromkeys(QUESTIONS, learned)
    settings = StateSettings(
        on=EvidenceSettings(point="plc/load", above=-100.0),
        turning=EvidenceSettings(point="plc/load"),
        cutting=EvidenceSettings(point="plc/other"),
    )
    assert [rule.criterion for rule in rules_of(settings, thresholds)] == [
        Level(-100.0, -110.0),
        Level(3.0, 2.0, magnitude=True),
        None,  # what was learned is about another input
    ]


# Features as inputs


def window(first: int, hop: int, rms: float | None = 1.0, **more: object) -> dict[str, object]:
    return {"n": 100, "hop": hop, "rate_hz": 100.0, "channels": {"x": {"rms": rms, **more}}, "first": first}


@given(st.integers(1, 100))
def test_windows_speak_of_their_middle_and_follow_without_a_gap(hop: int) -> None:
    inputs = FeatureInputs(["spindle/x/rms"], {"spindle/x": "g"})
    for index in range(4):
        inputs.take("spindle", index * hop * S // 100, window(index * hop, hop, float(index + 1)))
    history = inputs.histories["spindle/x/rms"]
    at, _ = history.observations(0, 100 * S)
    assert [later - earlier for earlier, later in pairwise(at)] == pytest.approx([hop * S / 100] * 3, abs=2)
    middle_of_first_ns = S // 2
    assert at[0] <= middle_of_first_ns <= at[0] + hop * S / 100
    assert history.at(at[-1] + hop * S // 100).quality is PointQuality.GOOD
    assert history.at(at[-1] + (100 + 2 * hop + 1) * S // 100).quality is PointQuality.STALE


@pytest.mark.parametrize(("unit", "value"), [("g", None), ("m/s2", None), ("A", 0.0), ("count", 0.0)])
def test_a_stuck_vibration_sensor_says_nothing_while_a_drive_may_be_still(
    unit: str, value: float | None
) -> None:
    inputs = FeatureInputs(["spindle/x/rms"], {"spindle/x": unit})
    inputs.take("spindle", 0, window(0, 100, 0.0))
    standing = inputs.histories["spindle/x/rms"].at(0)
    assert (standing.value, standing.quality is PointQuality.GOOD) == (value, value is not None)


def test_a_band_is_an_input_as_any_feature() -> None:
    inputs = FeatureInputs(["spindle/x/band_rms/10-100"], {"spindle/x": "g"})
    inputs.take("other", 0, window(0, 100))
    inputs.take("spindle", 0, window(0, 100, 1.0, band_rms={"10-100": 0.25}))
    assert inputs.histories["spindle/x/band_rms/10-100"].at(0).value == 0.25


def test_good_numbers_are_those_that_were_read_or_vouched_for() -> None:
    history = History(Point("speed", PointKind.NUMBER), S, 3 * S)
    for at_s, value in ((1, 10.0), (2, None), (3, 20.0)):
        quality = PointQuality.BAD if value is None else PointQuality.GOOD
        history.add(Reading("speed", value, quality, at_s * S))
    history.vouch(4 * S)
    flag = History(Point("flag", PointKind.STATE), S, 3 * S)
    flag.add(Reading("flag", True, PointQuality.GOOD, S))
    assert history.good_numbers(0, 4 * S) == [10.0, 20.0]
    assert history.good_numbers(2 * S, 5 * S) == [20.0, 20.0]
    assert flag.good_numbers(0, 5 * S) == []
