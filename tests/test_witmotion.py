"""The WitMotion protocol: acceleration among other frames, and 0x55 inside data."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import all_samples, cut_places, feed_in_pieces, is_subsequence, merged

from collector.samples import Channel, Loss, LossCause
from collector.sources.witmotion import WitMotionDecoder, witmotion_channels

CHANNELS = tuple(Channel(name, "g") for name in "xyz")


def frame(kind: int, values: tuple[int, int, int, int]) -> bytes:
    body = bytes([0x55, kind]) + struct.pack("<4h", *values)
    return body + bytes([sum(body) & 0xFF])


def acceleration(i: int) -> bytes:
    """A frame with heads of frames in its data, as happens with real values."""
    return frame(0x51, (0x5155 + i, -i, 0x5551, 2500))


def sample(i: int) -> list[float]:
    return [(0x5155 + i) / 2048, -i / 2048, 0x5551 / 2048]


def test_a_frame_of_the_data_sheet() -> None:
    one = bytes.fromhex("5551 0008 0080 ff7f c409")
    decoder = WitMotionDecoder(CHANNELS)
    runs = decoder.feed(2 * (one + bytes([sum(one) & 0xFF])) + b"\x55\x51")
    assert all_samples(runs).T.tolist() == [[1.0, -16.0, 32767 / 2048]] * 2


def test_other_frames_are_no_garbage() -> None:
    decoder = WitMotionDecoder(CHANNELS)
    data = b"".join(
        frame(0x50, (1, 2, 3, 4)) + acceleration(i) + frame(0x52, (i, i, i, i)) for i in range(20)
    )
    runs = decoder.feed(data + b"\x55\x50")
    assert merged(runs) == [([sample(i) for i in range(20)], None)]
    assert decoder.bad_bytes == 0


@settings(deadline=None)
@given(
    places=cut_places,
    garbage=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=30)), max_size=4),
)
def test_garbage_and_cuts(places: list[float], garbage: list[tuple[float, bytes]]) -> None:
    data = b"".join(acceleration(i) + frame(0x53, (i, 0, 0, 0)) for i in range(25))
    for place, noise in garbage:
        at = round(place * len(data))
        data = data[:at] + noise + data[at:]
    whole, pieces = WitMotionDecoder(CHANNELS), WitMotionDecoder(CHANNELS)
    runs = whole.feed(data)
    assert merged(runs) == merged(feed_in_pieces(pieces.feed, data, places))
    assert whole.bad_bytes == pieces.bad_bytes
    found = [value for samples, _ in merged(runs) for value in samples]
    assert is_subsequence(found, [sample(i) for i in range(25)])


def test_garbage_is_an_estimated_loss() -> None:
    parts = [acceleration(i) + frame(0x52, (0, 0, 0, 0)) for i in range(30)]
    parts[10:14] = [b"\x00" * len(b"".join(parts[10:14]))]
    runs = WitMotionDecoder(CHANNELS).feed(b"".join(parts))
    assert [run.loss for run in runs] == [None, Loss(LossCause.GARBAGE, 5, estimated=True)]


def test_nothing_but_heads_gives_nothing() -> None:
    decoder = WitMotionDecoder(CHANNELS)
    assert decoder.feed(b"\x55" * 100_000) == []
    assert decoder.bad_bytes > 99_000


def test_metres_per_second_squared() -> None:
    channels = tuple(Channel(name, "m/s2") for name in "xyz")
    runs = WitMotionDecoder(channels).feed(3 * frame(0x51, (2048, 0, -2048, 0)))
    assert all_samples(runs)[:, 0] == pytest.approx([9.80665, 0, -9.80665])
    limited = witmotion_channels((*channels[:2], Channel("z", "g", clip_low=-2, clip_high=2)))
    assert (limited[0].clip_low, limited[2].clip_high) == (-16 * 9.80665, 2)


def test_the_wrong_number_of_channels_is_refused() -> None:
    with pytest.raises(ValueError, match="3 values"):
        WitMotionDecoder(CHANNELS[:2])


def test_arrays_are_channel_major() -> None:
    (run,) = WitMotionDecoder(CHANNELS).feed(b"".join(acceleration(i) for i in range(5)))
    assert run.samples.shape == (3, 4)
    assert run.samples.flags.c_contiguous
    assert run.samples.dtype == np.float64
