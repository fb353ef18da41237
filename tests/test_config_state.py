"""[machine.state] and [calendar]: what is understood, and what is typed wrongly is told with what to type."""

import pytest
from test_config_controllers import FOLDER, MACHINE, MAIN, line_with, loaded, problems

from collector.activity import Question
from collector.config.loading import load_texts
from collector.texts import Sentence
from collector.toml.problems import ConfigError


def only_problem(machine: str) -> tuple[str, int | None, Sentence]:
    (problem,) = problems(machine)
    return problem.path, problem.line, problem.sentence


def with_state(lines: str, machine: str = MACHINE) -> str:
    return machine.replace("[[waveforms]]", f"[machine.state]\n{lines}\n\n[[waveforms]]", 1)


GOOD = """\
on = { point = "plc/speed", above = 1 }
turning = { point = "plc/speed", above = 100, below = 50 }
cutting = { feature = "spindle/x/rms" }"""


def test_a_state_is_read() -> None:
    state = loaded(with_state(GOOD)).machines[0].machine.state
    assert state is not None
    assert [question.value for question in state.asked()] == ["on", "turning", "cutting"]
    assert state.asked()[Question.CUTTING].input == "spindle/x/rms"
    assert state.dwell_s == 0.5
    assert loaded(MACHINE).machines[0].machine.state is None


def test_a_band_that_is_computed_may_answer() -> None:
    bands = MACHINE.replace(
        "window = ", "features = { bands = [{ low_hz = 10, high_hz = 40 }] }\nwindow = ", 1
    )
    text = with_state('cutting = { feature = "spindle/x/band_rms/10-40" }', bands)
    assert loaded(text).machines[0].machine.state is not None


@pytest.mark.parametrize(
    ("line", "path", "code", "advice"),
    [
        ('turning = { feature = "spindle/x/rmss" }', "turning.feature", "config.choice", "spindle/x/rms"),
        ('turning = { feature = "spindel/x/rms" }', "turning.feature", "config.choice", "spindle/x/rms"),
        ('turning = { feature = "spindle/x/band_rms/1-2" }', "turning.feature", "config.choice", "spindle/x"),
        ('turning = { feature = "spindle/x/peaks.hz" }', "turning.feature", "config.not-of-this-form", "/"),
        ('turning = { point = "plc/sped" }', "turning.point", "config.choice", "plc/speed"),
        ('turning = { point = "plc/program" }', "turning.point", "config.state.not-shared", "plain"),
        (
            'turning = { point = "plc/speed", states = ["a"] }',
            "turning.states",
            "config.state.states",
            "learn",
        ),
        (
            'turning = { feature = "spindle/x/rms", states = ["a"] }',
            "turning.states",
            "config.state.states",
            "",
        ),
        ('turning = { point = "plc/speed", below = 1 }', "turning.below", "config.belongs-together", "above"),
        (
            'turning = { point = "plc/speed", above = 1, below = 2 }',
            "turning.below",
            "config.state.levels",
            "1.0",
        ),
        ("turning = { above = 1 }", "turning", "config.state.one-input", "point"),
        (
            'turning = { point = "plc/speed", feature = "spindle/x/rms" }',
            "turning",
            "config.state.one-input",
            "point",
        ),
        ('turns = { point = "plc/speed" }', "turns", "config.unknown-key", "turning"),
        ("dwell_s = 61", "dwell_s", "config.not-at-most", "60"),
    ],
)
def test_what_is_typed_wrongly_is_told(line: str, path: str, code: str, advice: str) -> None:
    wanted = f'on = {{ point = "plc/speed" }}\n{line}'
    text = with_state(wanted)
    found_path, found_line, sentence = only_problem(text)
    assert (found_path, sentence.code) == (f"machine.state.{path}", code)
    assert found_line == line_with(text, line.partition(" ")[0] + " =")
    assert advice in sentence.advice


def test_a_state_without_a_question_is_told() -> None:
    path, _, sentence = only_problem(with_state("dwell_s = 2"))
    assert (path, sentence.code) == ("machine.state", "config.state.asks-nothing")


def test_a_point_without_any_controller_is_told() -> None:
    alone = MACHINE.partition("[[controllers]]")[0]
    _, _, sentence = only_problem(with_state('turning = { point = "plc/speed" }', alone))
    assert sentence.code == "config.state.no-points"


def test_points_that_are_found_later_may_answer() -> None:
    source = 'kind = "opcua"\nurl = "opc.tcp://192.168.0.10:4840"\nprofile = "opc-40501-1"\n'
    text = MACHINE + f'\n[[controllers]]\nname = "cnc"\n[controllers.source]\n{source}'
    assert loaded(with_state('turning = { point = "cnc/feed-override" }', text)).machines[0].machine.state


def test_beside_points_that_are_found_later_the_others_are_still_compared() -> None:
    source = 'kind = "opcua"\nurl = "opc.tcp://192.168.0.10:4840"\nprofile = "opc-40501-1"\n'
    text = MACHINE + f'\n[[controllers]]\nname = "cnc"\n[controllers.source]\n{source}'
    for wrong in ("plc/sped", "cnd/feed-override"):
        path, _, sentence = only_problem(with_state(f'turning = {{ point = "{wrong}" }}', text))
        assert (path, sentence.code.startswith("config.choice")) == ("machine.state.turning.point", True)


@pytest.mark.parametrize("name", ["spindle", "plc"])
def test_the_stream_of_the_state_keeps_its_name(name: str) -> None:
    path, _, sentence = only_problem(MACHINE.replace(f'name = "{name}"', 'name = "state"', 1))
    assert path.endswith(".name")
    assert sentence.code == "config.reserved-stream"


# The calendar

TWICE = '{ name = "a", start = "06:00", end = "07:00" }'


@pytest.mark.parametrize(
    ("line", "path", "code"),
    [
        ('time_zone = "Asia/Tokio"', "time_zone", "config.time-zone"),
        ('time_zone = "../../etc/passwd"', "time_zone", "config.time-zone"),
        (
            'shifts = [{ name = "a", start = "6:00", end = "14:00" }]',
            "shifts[0].start",
            "config.not-of-this-form",
        ),
        (
            'shifts = [{ name = "a", start = "06:00", end = "24:00" }]',
            "shifts[0].end",
            "config.not-of-this-form",
        ),
        ('shifts = [{ name = "a", start = "06:00" }]', "shifts[0].end", "config.missing-key"),
        (
            f"shifts = [{TWICE}, {TWICE}]",
            "shifts[1].name",
            "config.same-name",
        ),
    ],
)
def test_a_calendar_that_cannot_be_is_told(line: str, path: str, code: str) -> None:
    with pytest.raises(ConfigError) as error:
        loaded(MACHINE, f"{MAIN}\n[calendar]\n{line}\n")
    (problem,) = error.value.problems
    assert (problem.path, problem.sentence.code) == (f"calendar.{path}", code)


@pytest.mark.parametrize(
    ("typed", "advised"),
    [
        ('"8:00"', "08:00"),
        ('"8.30"', "08:30"),
        ('"８：００"', "08:00"),  # noqa: RUF001 (full-width, as an input method writes it)
        ('"8"', "08:00"),
        ('"8:00:00"', "08:00"),
        ('"24:00"', "00:00"),
        ("08:30:00", "08:30"),
        ('"24:30"', "06:00"),
        ('"morning"', "06:00"),
    ],
)
def test_a_time_is_advised_as_it_was_meant(typed: str, advised: str) -> None:
    with pytest.raises(ConfigError) as error:
        loaded(MACHINE, f'{MAIN}\n[[calendar.shifts]]\nname = "a"\nend = "14:00"\nstart = {typed}\n')
    (problem,) = error.value.problems
    assert f'"{advised}"' in problem.advice
    loaded(MACHINE, f'{MAIN}\n[[calendar.shifts]]\nname = "a"\nend = "14:00"\nstart = "{advised}"\n')


def test_a_calendar_is_read() -> None:
    shift = '{ name = "night", start = "22:00", end = "06:00" }'
    main = f'{MAIN}\n[calendar]\ntime_zone = "Asia/Tokyo"\nshifts = [{shift}]\n'
    calendar = loaded(MACHINE, main).calendar
    assert (calendar.time_zone, calendar.shifts[0].name) == ("Asia/Tokyo", "night")
    assert loaded(MACHINE).calendar.shifts == ()


def test_what_was_learned_belongs_to_the_machine_of_its_file_s_name() -> None:
    learned = """\
[turning]
input = "spindle/x/rms"
above = 2
below = 1
right = 0.99
values_no = 20
values_yes = 20
learned_at = 2026-05-01T10:00:00Z
"""
    files = {
        "collector.toml": MAIN,
        "machines/mill-1.toml": MACHINE,
        "learned/mill-1.toml": learned,
        "learned/gone-1.toml": learned,  # the machine was removed; the file may stay
    }
    config = load_texts({name: text.encode() for name, text in files.items()}, FOLDER)
    turning = config.learned["mill-1"].turning
    assert turning is not None
    assert (turning.above, turning.learned_at.year) == (2.0, 2026)
