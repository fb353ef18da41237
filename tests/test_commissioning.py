"""A commissioning run: what is watched is kept, and thresholds are written, never silently over others."""

import re
from pathlib import Path

import numpy as np
import pytest
from servers import write_configuration
from typer.testing import CliRunner, Result

from collector.activity import Activity, EvidenceSettings, LearnedFile, Question, StateSettings
from collector.activity.thresholds import LEAST_VALUES
from collector.cli import app
from collector.commissioning import (
    Finding,
    Values,
    added,
    findings,
    forget_values,
    keep_values,
    kept_values,
    learned_file,
    read_learned,
    seconds_for,
    too_few,
    write_learned,
)
from collector.config import ConfigError, load
from collector.errors import CollectorError
from collector.recorded_run import Span, read_spans

IDLE, TURNING, CUTTING = Activity.IDLE, Activity.TURNING, Activity.CUTTING
RMS = "spindle/x/rms"
BOTH = StateSettings(turning=EvidenceSettings(feature=RMS), cutting=EvidenceSettings(feature=RMS))
WATCHED: Values = {
    IDLE: {RMS: [1.0, 1.1] * 10},
    TURNING: {RMS: [10.0, 11.0] * 10},
    CUTTING: {RMS: [100.0] * 20},
}
NOW_US = 1_790_000_000_000_000

REPLAY = """\
channels = [{ name = "x", unit = "g" }]
window = { samples = 100 }
source = { kind = "replay", file = "recording.npz", rate_hz = 1000 }

[machine.state]
turning = { feature = "spindle/x/rms" }
cutting = { feature = "spindle/x/rms" }
"""
SPANS = """\
# what happened
idle,0,10
turning,10,20
cutting,20,30
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A configuration of a machine that replays 30 s: still, turning and cutting for 10 s each."""
    write_configuration(tmp_path, 1883, REPLAY)
    noise = np.random.default_rng(1).normal(0, 1, 30_000)
    np.savez(tmp_path / "recording.npz", samples=noise * np.repeat([0.02, 0.1, 1.0], 10_000))
    (tmp_path / "spans.csv").write_text(SPANS)
    return tmp_path


def learn(folder: Path, *options: str | Path, typed: str = "") -> Result:
    command = ["learn", "mill-1", "--config", folder, *options]
    return CliRunner().invoke(app, [str(word) for word in command], input=typed, env={"COLUMNS": "200"})


def test_values_are_added_by_activity_and_input_and_survive(tmp_path: Path) -> None:
    assert kept_values(tmp_path, "mill-1") == {}
    values = added(added({}, IDLE, {RMS: [1.0]}), IDLE, {RMS: [2.0], "plc/speed": [3.0]})
    keep_values(tmp_path, "mill-1", values)
    assert kept_values(tmp_path, "mill-1") == {IDLE: {RMS: [1.0, 2.0], "plc/speed": [3.0]}}
    assert kept_values(tmp_path, "mill-2") == {}
    forget_values(tmp_path, "mill-1")
    forget_values(tmp_path, "mill-1")
    assert kept_values(tmp_path, "mill-1") == {}


def test_damaged_values_are_no_values(tmp_path: Path) -> None:
    keep_values(tmp_path, "mill-1", WATCHED)
    (tmp_path / "learned" / "mill-1.values.json").write_text('{"idle": {"a/b": ["x"]}}')
    assert kept_values(tmp_path, "mill-1") == {}


def codes(found: list[Finding]) -> list[str | None]:
    return [finding.refused.code if finding.refused else None for finding in found]


def test_a_speed_is_learned_by_its_magnitude() -> None:
    """The spindle turned the one way, then the other: neither half tells of the other by its sign."""
    settings = StateSettings(turning=EvidenceSettings(point="plc/speed"))
    speeds = [3000.0] * 20 + [-3000.0] * 20
    values = {IDLE: {"plc/speed": [0.0, -1.0] * 10}, TURNING: {"plc/speed": speeds}}
    (found,) = findings(settings, values)
    assert found.split is not None
    assert found.split.right == 1.0
    assert 1.0 < found.split.level.below < found.split.level.above < 3000.0


def test_what_is_missing_is_told_until_nothing_is() -> None:
    values: Values = {}
    assert codes(list(findings(BOTH, values))) == ["cli.learn.missing"] * 2
    values = added(values, TURNING, WATCHED[TURNING])
    values = added(values, IDLE, {RMS: [1.0] * 9})
    assert codes(list(findings(BOTH, values))) == ["cli.learn.too-few", "cli.learn.missing"]
    values = added(values, IDLE, {RMS: [1.0]})
    values = added(values, CUTTING, {RMS: [10.0, 11.0] * 10})  # no stronger than the air
    assert codes(list(findings(BOTH, values))) == [None, "cli.learn.inseparable"]
    assert codes(list(findings(BOTH, WATCHED))) == [None, None]


def test_it_is_watched_for_long_enough_for_the_slowest_input() -> None:
    assert seconds_for([]) == 20
    assert seconds_for([0.08, 1.0]) == 20
    assert seconds_for([1.0, 4.096]) == 50
    assert seconds_for([4.096]) / 4.096 >= LEAST_VALUES + 2


def test_too_few_values_are_noticed_for_each_activity_and_input() -> None:
    values = added(WATCHED, IDLE, {RMS: [1.0]})
    assert [too_few(BOTH, values, activity) for activity in (IDLE, TURNING, Activity.OFF)] == [
        False,
        False,
        True,
    ]
    assert too_few(BOTH, {IDLE: {RMS: [1.0] * (LEAST_VALUES - 1)}}, IDLE)
    assert not too_few(BOTH, {IDLE: {RMS: [1.0] * LEAST_VALUES}}, IDLE)
    current = BOTH.model_copy(update={"cutting": EvidenceSettings(point="plc/current")})
    assert too_few(current, WATCHED, IDLE)


def test_what_the_file_says_itself_is_not_learned() -> None:
    settings = StateSettings(
        on=EvidenceSettings(point="plc/power", above=10.0),
        alarm=EvidenceSettings(point="plc/alarm"),
        turning=EvidenceSettings(point="plc/mode", states=("running",)),
    )
    assert list(findings(settings, WATCHED)) == []


def test_thresholds_are_written_so_that_the_configuration_has_them(folder: Path) -> None:
    file = write_learned(folder, "mill-1", findings(BOTH, WATCHED), NOW_US)
    assert file == learned_file(folder, "mill-1")
    learned = load(folder).learned["mill-1"]
    assert learned == read_learned(file)
    assert learned.turning is not None
    assert learned.cutting is not None
    assert 1.1 < learned.turning.below < learned.turning.above < 10
    assert 11 < learned.cutting.below < learned.cutting.above < 100
    assert (learned.cutting.input, learned.cutting.values_no, learned.cutting.right) == (RMS, 20, 1.0)
    assert learned.cutting.learned_at.timestamp() == NOW_US / 1e6


def test_what_stands_there_is_not_replaced_silently(folder: Path) -> None:
    turning = StateSettings(turning=EvidenceSettings(feature=RMS))
    file = write_learned(folder, "mill-1", findings(turning, WATCHED), NOW_US)
    before = file.read_bytes()
    with pytest.raises(CollectorError) as refused:
        write_learned(folder, "mill-1", findings(BOTH, WATCHED), NOW_US)
    assert refused.value.sentence.values["questions"] == "turning"
    assert file.read_bytes() == before
    cutting = StateSettings(turning=BOTH.turning, cutting=BOTH.cutting)
    only_cutting = [f for f in findings(cutting, WATCHED) if f.question is Question.CUTTING]
    write_learned(folder, "mill-1", only_cutting, NOW_US)  # another question: it is added
    assert read_learned(file).turning == LearnedFile.model_validate(read_learned(file).model_dump()).turning
    assert set(read_learned(file).thresholds) == {Question.TURNING, Question.CUTTING}
    write_learned(folder, "mill-1", findings(BOTH, WATCHED), NOW_US + 60_000_000, replace=True)
    replaced = read_learned(file).turning
    assert replaced is not None
    assert replaced.learned_at.timestamp() == NOW_US / 1e6 + 60


def test_a_learned_file_with_a_mistake_does_not_take_effect(folder: Path) -> None:
    file = write_learned(folder, "mill-1", findings(BOTH, WATCHED), NOW_US)
    file.write_text(file.read_text().replace("above = ", "abov = ", 1))
    with pytest.raises(ConfigError) as refused:
        load(folder)
    (problem,) = refused.value.problems
    assert (problem.file, problem.path) == ("learned/mill-1.toml", "turning.abov")


def test_what_happened_in_a_recording_is_read(tmp_path: Path) -> None:
    file = tmp_path / "spans.csv"
    file.write_text(SPANS + "\noff, 1.5, 2\n")
    assert read_spans(file)[:1] == [Span(IDLE, 0, 10)]
    assert read_spans(file)[-1] == Span(Activity.OFF, 1.5, 2)


@pytest.mark.parametrize(
    "line", ["idle,0", "idle,a,b", "alarm,0,1", "unknown,0,1", "flying,0,1", "idle,0,1,2"]
)
def test_a_line_that_says_nothing_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "spans.csv"
    file.write_text(f"idle,0,1\n{line}\n")
    with pytest.raises(CollectorError) as refused:
        read_spans(file)
    assert refused.value.sentence.values["line"] == 2


# The command


def test_a_recording_is_learned_from_and_written_only_on_demand(folder: Path) -> None:
    seen = learn(folder, "--recording", folder / "spans.csv")
    assert seen.exit_code == 0, seen.output
    assert re.search(r"cutting: spindle/x/rms from \S+ to \S+, values: 100\n", seen.output)
    assert '"turning" is yes from' in seen.output
    assert "--write" in seen.output
    assert not learned_file(folder, "mill-1").exists()
    written = learn(folder, "--write")
    assert written.exit_code == 0, written.output
    turning, cutting = (
        load(folder).learned["mill-1"].thresholds[q] for q in (Question.TURNING, Question.CUTTING)
    )
    assert 0.02 < turning.below < turning.above < 0.1 < cutting.below < cutting.above < 1.0
    again = learn(folder, "--write")
    assert again.exit_code == 1
    assert isinstance(again.exception, CollectorError)
    assert again.exception.sentence.code == "cli.learn.stands-already"
    assert learn(folder, "--write", "--replace").exit_code == 0


def test_what_is_missing_makes_an_exit_code(folder: Path) -> None:
    (folder / "spans.csv").write_text("idle,0,10\nturning,10,20\n")
    seen = learn(folder, "--recording", folder / "spans.csv", "--write")
    assert seen.exit_code == 1
    assert "cutting" in seen.output
    assert set(load(folder).learned["mill-1"].thresholds) == {Question.TURNING}


def test_what_was_watched_can_be_forgotten(folder: Path) -> None:
    learn(folder, "--recording", folder / "spans.csv")
    assert learn(folder, "--forget").exit_code == 0
    assert kept_values(folder, "mill-1") == {}


def test_in_a_conversation_nothing_is_written_without_a_yes(folder: Path) -> None:
    learn(folder, "--recording", folder / "spans.csv")
    refused = learn(folder, typed="dancing\n\nn\n")
    assert refused.exit_code == 1, refused.output
    assert not learned_file(folder, "mill-1").exists()
    agreed = learn(folder, typed="\ny\n")
    assert agreed.exit_code == 0, agreed.output
    before = learned_file(folder, "mill-1").read_bytes()
    kept = learn(folder, typed="\ny\nn\n")
    assert kept.exit_code == 1, kept.output
    assert '"turning" so far' in kept.output
    assert learned_file(folder, "mill-1").read_bytes() == before
    replaced = learn(folder, typed="\ny\ny\n")
    assert replaced.exit_code == 0, replaced.output


def test_no_empty_list_of_machines_is_offered(folder: Path) -> None:
    file = folder / "machines" / "mill-1.toml"
    described = file.read_text()
    without = described.partition("[machine.state]")[0]
    file.write_text(without)
    failed = learn(folder)
    assert isinstance(failed.exception, CollectorError)
    assert "Machines that have one" not in failed.exception.sentence.advice
    (folder / "machines" / "mill-2.toml").write_text(described.replace("mill-1", "mill-2"))
    failed = learn(folder)
    assert isinstance(failed.exception, CollectorError)
    assert failed.exception.sentence.advice.endswith("Machines that have one: mill-2")


@pytest.mark.parametrize(
    ("state", "options", "code"),
    [
        ("", (), "state.no-state"),
        ("[machine.state]\nturning = { feature = 'spindle/x/rms', above = 1 }\n", (), "cli.learn.nothing"),
        (
            "[machine.state]\nturning = { feature = 'spindle/x/rms' }\n",
            ("--activity", "idle"),
            "gateway.not-running",
        ),
        (
            "[machine.state]\nturning = { feature = 'spindle/x/rms' }\n",
            ("--activity", "stopped"),
            "cli.learn.no-activity",
        ),
    ],
)
def test_what_cannot_be_done_is_said(folder: Path, state: str, options: tuple[str, ...], code: str) -> None:
    file = folder / "machines" / "mill-1.toml"
    file.write_text(file.read_text().partition("[machine.state]")[0] + state)
    failed = learn(folder, *options)
    assert isinstance(failed.exception, CollectorError), failed.output
    assert failed.exception.sentence.code == code
