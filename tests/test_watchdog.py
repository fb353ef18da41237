"""The watchdog is fed only while everything watched moves."""

from collector.watchdog import PATIENCE_LOOKS, Watchdog


def test_a_part_that_stands_still_starves_it() -> None:
    counts = {"disk": 0}
    watchdog = Watchdog(disk=lambda: counts["disk"])
    for _ in range(5):
        counts["disk"] += 1
        assert watchdog.look() is None
    assert [watchdog.look() for _ in range(PATIENCE_LOOKS)] == [None] * PATIENCE_LOOKS
    assert watchdog.look() == "disk"
    counts["disk"] += 1
    assert watchdog.look() is None
