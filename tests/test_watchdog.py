"""The watchdog is fed only while everything watched moves."""

from collector.watchdog import Watchdog


def test_a_part_that_stands_still_starves_it() -> None:
    counts = {"disk": 0}
    watchdog = Watchdog(disk=lambda: counts["disk"])
    for _ in range(5):
        counts["disk"] += 1
        assert watchdog.look() is None
    outcomes = [watchdog.look() for _ in range(6)]
    assert outcomes[:3] == [None] * 3
    assert outcomes[-1] == "disk"
    counts["disk"] += 1
    assert watchdog.look() is None
