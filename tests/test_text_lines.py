"""Lines of numbers: what is a good line, what garbage does, and what counters and time stamps tell."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import all_samples, cut_places, feed_in_pieces, is_subsequence, merged

from collector.samples import Channel, Loss, LossCause, Run
from collector.sources.text_lines import LONGEST_LINE, TextDecoder, TextFormat

OPENING = b"0.5\n"
"""The end of a line that was cut by opening the port."""
CHANNELS = tuple(Channel(name, "g") for name in "xyz")


def decoder(channels: int = 3, rate_hz: float = 1000.0, **changes: object) -> TextDecoder:
    return TextDecoder(TextFormat.model_validate({"kind": "text", **changes}), CHANNELS[:channels], rate_hz)


def decode(lines: list[str], channels: int = 3, rate_hz: float = 1000.0, **changes: object) -> list[Run]:
    """Decode whole lines after a clean opening, with the last one doubled because one is always held back."""
    return decoder(channels, rate_hz, **changes).feed(
        OPENING + "".join(f"{line}\n" for line in lines).encode()
    )


def test_samples_of_a_real_stream(recordings: Path) -> None:
    with gzip.open(recordings / "mill_accel_stream.txt.gz", "rt", encoding="ascii") as lines:
        kept = [line.rstrip("\n") for line in lines if ":" not in line]
    expected = np.array([line.split() for line in kept], dtype=np.float64)
    assert expected.shape == (47029, 3)
    data = OPENING + "".join(f"{line}\n" for line in [*kept, kept[-1]]).encode()
    rng = np.random.default_rng(3)
    decode_all = decoder()
    runs = feed_in_pieces(decode_all.feed, data, rng.random(800))
    assert np.array_equal(all_samples(runs).T, expected)
    assert [run.loss for run in runs if run.loss] == []
    assert decode_all.bad_bytes == 0


def test_the_line_cut_by_opening_is_left_out() -> None:
    cut = decoder()
    runs = cut.feed(b"25 2.0 3.0\n1 2 3\n4 5 6\n7 8 9\n")
    assert all_samples(runs).T.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert cut.bad_bytes == 0


def test_garbage_in_the_opening_line_casts_doubt_on_the_next() -> None:
    runs = decoder().feed(b"25\xff\n1 2 3\n4 5 6\n7 8 9\n")
    assert all_samples(runs).T.tolist() == [[4, 5, 6]]


def test_layouts() -> None:
    assert merged(decode(["1;2", " 3 ; 4 ", "5;6"], 2, delimiter=";", scale=(2.0, 10.0))) == [
        ([[2.0, 20.0], [6.0, 40.0]], None)
    ]
    assert merged(decode(["ACC 1 2 3 4"] * 2, 2, columns=(4, 2), line_columns=5)) == [([[3.0, 1.0]], None)]
    assert merged(decode(["a b,1e-1,+.5\r", "c,2.,-3\r", "d,1,1\r"], 2, delimiter=",", columns=(2, 3))) == [
        ([[0.1, 0.5], [2.0, -3.0]], None)
    ]
    assert merged(decode(["1\t2 3", "# remark", "", "4 5  6", " \r", "7 8 9"])) == [
        ([[1, 2, 3], [4, 5, 6]], None)
    ]


@pytest.mark.parametrize(
    "bad",
    [
        "1 2", "1 2 3 4", "nan 1 2", "1 inf 2", "1_0 2 3", "0x10 2 3", "1,2,3", "1 2 3f", "1 2 -", "1 2 .",
        "1 2 1e999", "1 2 3 \x00", "\N{FULLWIDTH DIGIT TWO} 2 3", "2016-05-26 21:15:16.881", "1 2 1.2.3",
        "1 1" + " " * LONGEST_LINE + "1",
    ],
)  # fmt: skip
def test_a_bad_line_takes_its_neighbours_along(bad: str) -> None:
    lines = [f"{i} {i} {i}" for i in range(10)]
    lines[5] = bad
    full = decoder()
    runs = full.feed(OPENING + "".join(f"{line}\n" for line in lines).encode())
    assert merged(runs) == [
        ([[i, i, i] for i in (0, 1, 2, 3)], None),
        ([[i, i, i] for i in (7, 8)], Loss(LossCause.GARBAGE, 3, estimated=True)),
    ]
    assert full.bad_bytes == len(bad.encode()) + 1 + 2 * 6


def test_values_beyond_full_scale_are_garbage() -> None:
    channels = (Channel("x", "g", clip_low=-2.0, clip_high=2.0),)
    form = TextFormat(kind="text", scale=0.001)
    lines = ["0", "2000", "-2099", "2099", "2101", "100", "200", "300", "-2101", "1", "2", "3", "4"]
    runs = TextDecoder(form, channels, 100.0).feed(OPENING + "".join(f"{line}\n" for line in lines).encode())
    assert all_samples(runs)[0] == pytest.approx([0, 2.0, -2.099, 0.2, 0.002, 0.003])


number_letters = st.text(alphabet="0123456789.-+eE ", max_size=6).map(str.encode)
nasty = st.binary(min_size=1, max_size=8).filter(lambda b: not set(b) & set(b"\n\r\t #") and not b.isdigit())
nasty = st.tuples(
    number_letters, st.sampled_from([b"\xff", b"\0", b"x", b"\x80", b"!", b"\xc3\xa9"]), nasty
).map(b"".join)
garbage_with_line_ends = st.tuples(
    number_letters, st.lists(nasty, min_size=1, max_size=3), number_letters
).map(lambda parts: b"\n".join([parts[0], *parts[1], parts[2]]))


@settings(deadline=None)
@given(
    garbage=st.lists(st.tuples(st.floats(0, 1), st.one_of(nasty, garbage_with_line_ends)), max_size=5),
    places=cut_places,
)
def test_no_garbage_makes_a_sample_that_was_not_sent(
    garbage: list[tuple[float, bytes]], places: list[float]
) -> None:
    """Garbage whose every inner line holds a byte that no number has; its ends may look like numbers."""
    sent = [[round(0.125 * i, 3), -i / 8, 1.0 + i] for i in range(30)]
    data = b"3.25\n" + "".join(f"{x} {y} {z}\n" for x, y, z in sent).encode()
    for place, noise in garbage:
        at = round(place * len(data))
        data = data[:at] + noise + data[at:]
    whole, pieces = decoder(), decoder()
    runs = whole.feed(data)
    assert merged(runs) == merged(feed_in_pieces(pieces.feed, data, places))
    assert whole.bad_bytes == pieces.bad_bytes
    assert is_subsequence([row for rows, _ in merged(runs) for row in rows], sent)


@settings(deadline=None)
@given(
    data=st.lists(
        st.sampled_from([b"1 2 3", b"4 5 6\r", b"x", b"", b"# no", b"7" * 700, b"8 9", b"\xff"]), max_size=40
    ),
    places=cut_places,
    end=st.sampled_from([b"\n", b"\n\n", b" "]),
)
def test_cuts_make_no_difference(data: list[bytes], places: list[float], end: bytes) -> None:
    whole, pieces, bytewise = decoder(), decoder(), decoder()
    stream = end.join(data)
    runs = merged(whole.feed(stream))
    assert runs == merged(feed_in_pieces(pieces.feed, stream, places))
    assert runs == merged([run for i in range(len(stream)) for run in bytewise.feed(stream[i : i + 1])])
    assert whole.bad_bytes == pieces.bad_bytes == bytewise.bad_bytes


def test_a_stream_without_line_ends_is_garbage_and_takes_no_memory() -> None:
    endless = decoder()
    for _ in range(100):
        assert endless.feed(b"1.0 2.0 3.0 " * 100) == []
    assert endless.bad_bytes > 110_000


class TestCounter:
    def test_losses_are_exact(self) -> None:
        counts = [*range(90, 100), *range(5), *range(8, 50), *range(51, 60)]
        runs = decode(
            [f"{c},1.5" for c in counts],
            1,
            delimiter=",",
            columns=(2,),
            counter_column=1,
            counter_modulus=100,
        )
        assert [(len(s), loss) for s, loss in merged(runs)] == [
            (15, None),
            (42, Loss(LossCause.DEVICE, 3, modulus=100)),
            (8, Loss(LossCause.DEVICE, 1, modulus=100)),
        ]

    def test_garbage_is_counted_by_it(self) -> None:
        lines = [f"{c} 1" for c in range(30)]
        lines[10:14] = ["\x07"]
        lines.insert(20, "\x07")
        runs = decode(lines, 1, columns=(2,), counter_column=1, counter_modulus=65536)
        losses = [loss for _, loss in merged(runs)]
        assert losses == [None, *(Loss(LossCause.GARBAGE, n, modulus=65536) for n in (6, 2))]

    @pytest.mark.parametrize("bad", ["1.5", "-1", "100", "1e9"])
    def test_what_cannot_be_a_count_is_garbage(self, bad: str) -> None:
        lines = [f"{c} 1" for c in range(9)]
        lines[4] = f"{bad} 1"
        runs = decode(lines, 1, columns=(2,), counter_column=1, counter_modulus=100)
        assert [loss for _, loss in merged(runs)] == [None, Loss(LossCause.GARBAGE, 3, modulus=100)]

    def test_a_line_sent_twice_is_dropped(self) -> None:
        runs = decode(
            [f"{c} {c}" for c in (1, 2, 2, 2, 3, 4)], 1, columns=(2,), counter_column=1, counter_modulus=9
        )
        assert merged(runs) == [([[1], [2], [3]], None)]


class TestDeviceTime:
    """Stamps of a device that is 4 % slower than it says."""

    def runs(
        self, kept: list[int], unit_s: float, places: list[float] | None = None
    ) -> list[tuple[list[list[float]], Loss | None]]:
        lines = [f"{int(i / (960 * unit_s))} 1\n" for i in kept]
        timed = decoder(1, 1000.0, columns=(2,), time_column=1, time_unit_s=unit_s)
        return merged(feed_in_pieces(timed.feed, OPENING + "".join(lines).encode(), places or []))

    def test_losses_are_exact(self) -> None:
        kept = [i for i in range(3000) if i not in {700, 900, 901} and not 1500 <= i < 2200]
        losses = [loss for _, loss in self.runs(kept, 1e-6)]
        assert losses == [None, *(Loss(LossCause.DEVICE, n) for n in (1, 2, 700))]

    @settings(deadline=None)
    @given(places=cut_places)
    def test_cuts_make_no_difference(self, places: list[float]) -> None:
        kept = [i for i in range(800) if i % 97]
        assert self.runs(kept, 1e-6, places) == self.runs(kept, 1e-6)

    def test_a_coarse_stamp_invents_nothing_and_says_that_it_guesses(self) -> None:
        assert [loss for _, loss in self.runs(list(range(4000)), 1e-3)] == [None]
        kept = [i for i in range(4000) if not 2000 <= i < 2100]
        (_, none), (_, loss) = self.runs(kept, 1e-3)
        assert none is None
        assert loss is not None
        assert loss.estimated
        assert loss.samples == pytest.approx(100, abs=2)

    def test_stamps_with_decimals(self) -> None:
        lines = [f"{i / 96:.4f} 1" for i in range(400) if i not in {300, 301}]
        runs = decode(lines, 1, 100.0, columns=(2,), time_column=1, time_unit_s=1.0)
        assert [loss for _, loss in merged(runs)] == [None, Loss(LossCause.DEVICE, 2)]

    def test_a_stamp_that_starts_again(self) -> None:
        stamps = [(4_294_900_000 + 1042 * i) % 2**32 for i in range(300) if i != 200]
        lines = [f"{stamp} 1" for stamp in stamps]
        known = merged(decode(lines, 1, columns=(2,), time_column=1, time_unit_s=1e-6, time_modulus=2**32))
        assert [loss for _, loss in known] == [None, Loss(LossCause.DEVICE, 1)]
        unknown = merged(decode(lines, 1, columns=(2,), time_column=1, time_unit_s=1e-6))
        assert [loss for _, loss in unknown] == [
            None,
            Loss(LossCause.DEVICE, None),
            Loss(LossCause.DEVICE, 1),
        ]

    def test_garbage_is_counted_by_it(self) -> None:
        lines = [f"{1042 * i} 1" for i in range(100)]
        lines.insert(50, "\x07")
        runs = decode(lines, 1, columns=(2,), time_column=1, time_unit_s=1e-6)
        assert [loss for _, loss in merged(runs)] == [None, Loss(LossCause.GARBAGE, 2)]

    def test_a_column_that_is_no_time_is_not_believed(self) -> None:
        values = np.random.default_rng(1).normal(size=2000).cumsum()
        runs = decode([f"{value:.3f} 1" for value in values], 1, columns=(2,), time_column=1, time_unit_s=1.0)
        assert all(loss is None or loss.samples is None for _, loss in merged(runs))
