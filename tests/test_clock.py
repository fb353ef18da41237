"""The clock: steps are told from steering, and UTC is looked up, never trusted for order."""

from datetime import UTC, datetime

import pytest
from stand_ins import S, SettableClock

from collector.clock import SystemClock, UtcClock, boot_id
from collector.times import iso8601, utc_us


@pytest.mark.parametrize("step_s", [3600, -3600, 86400, -86400, 0.2])
def test_a_step_is_told_once_and_maps_monotonic_time(step_s: float) -> None:
    kernel = SettableClock()
    clock = UtcClock(kernel)
    kernel.pass_time(1)
    assert clock.look() is None
    before_us = clock.utc_us(kernel.monotonic)
    kernel.utc += round(step_s * S)
    change = clock.look()
    assert change is not None
    assert change.stepped
    assert change.step_ns == round(step_s * S)
    assert clock.utc_us(kernel.monotonic) - before_us == round(step_s * 1e6)
    assert (kernel.monotonic + change.offset_before_ns) // 1000 == before_us
    kernel.pass_time(1)
    assert clock.look() is None


def test_steering_is_followed_without_an_event() -> None:
    kernel = SettableClock()
    clock = UtcClock(kernel)
    for _ in range(100):
        kernel.pass_time(1)
        kernel.utc += 500_000  # 500 ppm, the kernel's limit
        assert clock.look() is None
    assert clock.utc_us(kernel.monotonic) == kernel.utc // 1000


def test_boot_in_1970_then_synchronised() -> None:
    kernel = SettableClock(utc=5 * S, good=False)
    clock = UtcClock(kernel)
    assert not clock.synchronised
    assert iso8601(clock.now_us()) == "1970-01-01T00:00:05.000000Z"
    kernel.utc, kernel.good = 1_790_000_000 * S, True
    change = clock.look()
    assert change is not None
    assert change.stepped
    assert change.synchronised
    assert clock.synchronised


def test_synchronisation_alone_is_told_too() -> None:
    kernel = SettableClock(good=False)
    clock = UtcClock(kernel)
    kernel.good = True
    change = clock.look()
    assert change is not None
    assert not change.stepped


def test_the_real_clock() -> None:
    clock = UtcClock(SystemClock())
    assert abs(clock.now_us() - datetime.now(UTC).timestamp() * 1e6) < 1e6
    assert isinstance(clock.synchronised, bool)
    assert len(boot_id()) == 36


def test_dates() -> None:
    moment = datetime(2026, 5, 26, 21, 15, 16, 881000, tzinfo=UTC)
    assert iso8601(utc_us(moment)) == "2026-05-26T21:15:16.881000Z"
    assert utc_us(moment.replace(tzinfo=None)) == utc_us(moment)
    assert iso8601(-1) == "1969-12-31T23:59:59.999999Z"
