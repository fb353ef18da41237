"""The command that finds the thresholds of a machine's state: learn."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from collector.activity import Activity
from collector.activity.thresholds import LEAST_VALUES
from collector.cli.ask import ask_daemon, report_of
from collector.cli.files import DEFAULT_FOLDER, Folder
from collector.cli.sentences import asked, print_sentence
from collector.clock import SystemClock
from collector.commissioning import (
    LEARNABLE,
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
from collector.config import Config, MachineFile, load
from collector.errors import CollectorError, ControlError, UsageError
from collector.health import InputsReport
from collector.recorded_run import read_spans, watch_recordings
from collector.texts import Sentence, number
from collector.texts import activity as words
from collector.texts import learning as say

_AT_ONCE_S = 60.0
_ANSWER_WAIT_S = 60.0
_LONGEST_S = 3600.0


def learn(
    machine: Annotated[str, typer.Argument(help="The machine's name.")],
    config: Folder = DEFAULT_FOLDER,
    activity: Annotated[
        str | None,
        typer.Option(help="Ask nothing: it is off, idle, turning, or cutting now; watch it and end."),
    ] = None,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=1,
            max=_LONGEST_S,
            help="How long to watch each time; without it, as long as it takes, at least 20.",
        ),
    ] = None,
    recording: Annotated[
        Path | None,
        typer.Option(help="Watch the machine's recordings; this file has lines: activity,from_s,to_s"),
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write what was found, without asking.")] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Also over what was learned before.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Forget what was watched before.")] = False,
) -> None:
    """Find from which values on a machine is on, turns, and cuts, by watching it while you say what it does.

    Exit code 0: everything that is to be learned is known; 1: something is missing.
    """
    loaded = load(config)
    described = _machine(loaded, machine)
    run = _Run(loaded, described)
    if forget:
        forget_values(loaded.folder, machine)
        print_sentence(say.FORGOTTEN())
    if recording is not None:
        run.keep_all(watch_recordings(described, read_spans(recording)), {})
    elif activity is not None:
        run.watch(_activity(activity), seconds)
    elif not (write or forget):
        run.converse(seconds)
        return
    elif forget and not write:
        return
    run.conclude(write=write, replace=replace)


class _Run:
    """One call of the command for one machine."""

    def __init__(self, config: Config, machine: MachineFile) -> None:
        assert machine.machine.state is not None
        self._folder, self._socket = config.folder, config.control.socket
        self._machine, self._state = machine, machine.machine.state
        if not self._inputs():
            raise CollectorError(say.NOTHING_TO_LEARN(machine=machine.name))
        # At first, because who may not write should know it before standing at the machine for minutes.
        keep_values(self._folder, machine.name, kept_values(self._folder, machine.name))

    def watch(self, activity: Activity, wanted_s: float | None) -> None:
        """Watch the running collector, for so long or long enough, and keep what came.

        Raises:
            ControlError: it does not run, or does not know the machine's state by what the file says.
        """
        steps_s = self._steps_s()
        enough_s = min(_LONGEST_S, seconds_for(steps_s.values()))
        seconds = wanted_s or enough_s
        print_sentence(say.WATCHING(seconds=number(seconds), activity=_name(activity)))
        values: Values = {}
        left_s = seconds
        while left_s > 0:
            request = {"do": "inputs", "machine": self._machine.name, "seconds": min(left_s, _AT_ONCE_S)}
            answer = ask_daemon(self._socket, request, left_s + _ANSWER_WAIT_S)
            values = added(values, activity, InputsReport.model_validate(answer).values)
            left_s -= _AT_ONCE_S
        self.keep_all(
            values,
            {
                path: say.SEEN_TOO_SHORT(
                    activity=_name(activity), input=path, step=number(step_s), enough=number(enough_s)
                )
                for path, step_s in steps_s.items()
                if step_s > seconds
            },
        )

    def keep_all(self, values: Values, too_short: Mapping[str, Sentence]) -> None:
        """Keep newly watched values beside those that are kept already, and show what they are.

        `too_short` has what to say where nothing came of an input that was watched too shortly for that.
        """
        kept = kept_values(self._folder, self._machine.name)
        for activity, watched in values.items():
            kept = added(kept, activity, watched)
            for path in self._inputs():
                nothing = too_short.get(path) or say.SEEN_NOTHING(activity=_name(activity), input=path)
                _show_values(activity, path, watched.get(path, ()), nothing)
        keep_values(self._folder, self._machine.name, kept)

    def converse(self, seconds: float | None) -> None:
        """Ask what the machine is doing and watch it, until that is all; then ask whether to write."""
        intro = say.INTRO(machine=self._machine.name, inputs=", ".join(self._inputs()))
        print_sentence(f"{intro} {intro.advice}")
        known = ", ".join(_name(activity) for activity in LEARNABLE)
        while answer := typer.prompt(asked(say.ASK_ACTIVITY(known=known)), default="", show_default=False):
            chosen = next((a for a in LEARNABLE if answer.strip().lower() in {a.value, _name(a)}), None)
            if chosen is not None:
                self.watch(chosen, seconds)
                more = say.ASK_MORE(activity=_name(chosen), least=LEAST_VALUES)
                while self._too_few(chosen) and typer.confirm(asked(more), default=True):
                    self.watch(chosen, seconds)
                self._show()
        found, complete = self._show()
        if not found:
            raise typer.Exit(1)
        if not typer.confirm(asked(say.ASK_WRITE())):
            print_sentence(say.NOT_WRITTEN())
            raise typer.Exit(1)
        before = read_learned(learned_file(self._folder, self._machine.name)).thresholds
        twice = [finding.question for finding in found if finding.question in before]
        for question in twice:
            old = before[question]
            now = say.NOW(question=question.value, above=old.above, below=old.below, input=old.input)
            print_sentence(now)
        self._write(found, replace=bool(twice) and typer.confirm(asked(say.ASK_REPLACE())))
        raise typer.Exit(0 if complete else 1)

    def conclude(self, *, write: bool, replace: bool) -> None:
        """Show what can be told by now; write it where that is wanted."""
        found, complete = self._show()
        if write and found:
            self._write(found, replace=replace)
        elif found:
            print_sentence(say.HOW_TO_WRITE(machine=self._machine.name))
        raise typer.Exit(0 if complete else 1)

    def _inputs(self) -> list[str]:
        """The points and features whose thresholds are to be learned."""
        return list(dict.fromkeys(finding.input for finding in findings(self._state, {})))

    def _too_few(self, activity: Activity) -> bool:
        return too_few(self._state, kept_values(self._folder, self._machine.name), activity)

    def _steps_s(self) -> dict[str, float]:
        """How long a value of each input takes, by the running collector; none where it does not know yet."""
        running = report_of(self._socket).machines.get(self._machine.name)
        inputs = self._inputs()
        if running is None or not running.steps_s.keys() >= set(inputs):
            raise ControlError(words.NOT_RELOADED(machine=self._machine.name))
        known = ((path, running.steps_s[path]) for path in inputs)
        return {path: step_s for path, step_s in known if step_s is not None}

    def _write(self, found: Sequence[Finding], *, replace: bool) -> None:
        now_us = SystemClock().utc_ns() // 1000
        file = write_learned(self._folder, self._machine.name, found, now_us, replace=replace)
        print_sentence(say.WRITTEN(file=str(file)))

    def _show(self) -> tuple[list[Finding], bool]:
        """Show every finding; gives those that are any good, and whether all are."""
        all_ = list(findings(self._state, kept_values(self._folder, self._machine.name)))
        for finding in all_:
            if finding.split is not None:
                level = finding.split.level
                figures = {"above": number(level.above, 4), "below": number(level.below, 4)}
                right = f"{100 * finding.split.right:.1f}"
                found = say.FOUND(
                    question=finding.question.value, input=finding.input, right=right, **figures
                )
                print_sentence(found)
            elif finding.refused is not None:
                print_sentence(f"{finding.refused} → {finding.refused.advice}")
        good = [finding for finding in all_ if finding.split is not None]
        return good, len(good) == len(all_)


def _show_values(activity: Activity, input_: str, values: Sequence[float], nothing: Sentence) -> None:
    if not values:
        print_sentence(f"{nothing} → {nothing.advice}")
        return
    low, high = number(min(values), 4), number(max(values), 4)
    print_sentence(say.SEEN(activity=_name(activity), count=len(values), input=input_, low=low, high=high))


def _name(activity: Activity) -> str:
    return str(words.ACTIVITIES[activity.value]())


def _activity(given: str) -> Activity:
    if given not in LEARNABLE:
        raise UsageError(say.NO_ACTIVITY(found=given, known=", ".join(LEARNABLE)))
    return Activity(given)


def _machine(config: Config, name: str) -> MachineFile:
    machines = {machine.name: machine for machine in config.machines}
    if name not in machines:
        raise UsageError(say.NO_SUCH_MACHINE(machine=name, known=", ".join(machines)))
    if machines[name].machine.state is None:
        known = ", ".join(m for m, machine in machines.items() if machine.machine.state is not None)
        no_state = words.NO_STATE_BUT(machine=name, known=known) if known else words.NO_STATE(machine=name)
        raise UsageError(no_state)
    return machines[name]
