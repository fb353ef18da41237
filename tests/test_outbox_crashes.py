"""Every power cut at every moment: the log keeps its promises, and a log that is broken on purpose is found out."""

import os

import pytest
from crash_model import CrashModel
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

EXAMPLES = int(os.environ.get("COLLECTOR_CRASH_EXAMPLES", "25"))


def explored(model: type[CrashModel], examples: int, *phases: Phase) -> None:
    run_state_machine_as_test(
        model,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            database=None,
            phases=phases or (Phase.generate,),
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_promises_hold_whatever_a_power_cut_leaves(record_property: pytest.FixtureRequest) -> None:
    explored(CrashModel, EXAMPLES)
    print(f"crash points: {CrashModel.points}, crash states: {CrashModel.explored}")
