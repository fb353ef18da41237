"""From what size on a broker ends the connection: found, held to, tried again; not found on a bad line."""

from hypothesis import given
from hypothesis import strategies as st

from collector.mqtt import SizeLimit

HELD_S = 3600.0


def life(known: SizeLimit, sizes: list[int], most_bytes: int, *, together: int = 20) -> bool:
    """One connection to a broker that ends it at what is longer; whether it lasted.

    The broker has taken what came before, but its answers do not come any more if several were on their way.
    """
    known.connected()
    one_at_a_time = known.one_at_a_time
    step = 1 if one_at_a_time else together
    sent = [size for size in (sorted(sizes) if one_at_a_time else sizes) if known.takes(size)]
    for start in range(0, len(sent), step):
        on_its_way = sent[start : start + step]
        if max(on_its_way) > most_bytes:
            known.ended(on_its_way, 0.0)
            return False
        for size in on_its_way:
            known.taken(size)
    return True


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=60), st.integers(1, 5000), st.integers(1, 20))
def test_the_limit_is_found_and_nothing_shorter_is_held_back(
    sizes: list[int], most_bytes: int, together: int
) -> None:
    known, sizes = SizeLimit(HELD_S), [*sizes, 1]
    ended = 0
    while not life(known, sizes, most_bytes, together=together):
        ended += 1
        assert ended <= 4, "it takes two ends, and two more with one message alone"
    assert all(known.takes(size) for size in sizes if size <= most_bytes)
    too_long = [size for size in sizes if size > most_bytes]
    assert known.least_bytes == (min(too_long) if too_long else None)


def test_after_an_hour_it_costs_one_connection_to_try_again() -> None:
    known = SizeLimit(HELD_S)
    while not life(known, [10, 50], 20):
        pass
    assert known.least_bytes == 50
    assert not known.forgotten(HELD_S - 1)
    assert known.forgotten(HELD_S)
    assert known.one_at_a_time
    assert not life(known, [10, 50], 20)
    assert known.least_bytes == 50
    assert known.forgotten(HELD_S)
    assert life(known, [10, 50], 100)
    assert known.least_bytes is None


def test_a_line_that_breaks_is_no_limit() -> None:
    """What is on its way then is seldom longer than all that was taken, and not time after time."""
    known = SizeLimit(HELD_S)
    for on_its_way in ([], [100, 300], [400], [300]) * 3:
        known.connected()
        for size in (200, 350):
            known.taken(size)
        known.ended(on_its_way, 0.0)
    assert known.least_bytes is None


def test_a_broker_that_takes_nothing_at_all_has_no_limit() -> None:
    known = SizeLimit(HELD_S)
    for _ in range(20):
        known.connected()
        known.ended([500], 0.0)
    assert known.least_bytes is None
