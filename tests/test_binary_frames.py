"""Binary frames: values, counters, checksums, and what garbage does to them."""

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from runs import all_samples, cut_places, feed_in_pieces, is_subsequence, merged

from collector.samples import Channel, Loss, LossCause
from collector.sources.binary_frames import BinaryDecoder, BinaryFormat, binary_channels
from collector.sources.checksums import ChecksumKind, checksum

CHECKSUMS: list[ChecksumKind] = ["none", "sum8", "xor8", "crc16-modbus", "crc16-ccitt"]


def settings(**changes: object) -> BinaryFormat:
    return BinaryFormat.model_validate({"kind": "binary", "sync": "aa55", **changes})


def frame(form: BinaryFormat, values: list[int], counter: int = 0) -> bytes:
    """One frame, made without any of the decoder's code but the checksum."""
    order = "<" if form.byte_order == "little" else ">"
    body = bytes.fromhex(form.sync)
    if form.counter != "none":
        body += struct.pack(order + {"u8": "B", "u16": "H", "u32": "I"}[form.counter], counter)
    body += struct.pack(f"{order}{len(values)}h", *values)
    check = checksum(form.checksum, len(body))
    if check is None:
        return body
    total = int(check(np.frombuffer(body, np.uint8).reshape(1, -1))[0])
    return body + struct.pack(order + ("H" if form.checksum.startswith("crc16") else "B"), total)


def stream(form: BinaryFormat, n: int) -> tuple[list[list[int]], list[bytes]]:
    """Samples of three channels, no two alike, and their frames."""
    samples = [[1000 + i, -5 * i, 7 * i % 100] for i in range(n)]
    return samples, [frame(form, values, i) for i, values in enumerate(samples)]


@pytest.mark.parametrize(
    ("kind", "value"), [("crc16-modbus", 0x4B37), ("crc16-ccitt", 0x29B1), ("sum8", 0xDD), ("xor8", 0x31)]
)
def test_checksums_give_the_published_check_values(kind: ChecksumKind, value: int) -> None:
    check = checksum(kind, 9)
    assert check is not None
    assert check(np.frombuffer(b"123456789" * 2, np.uint8).reshape(2, 9)).tolist() == [value, value]


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("i8", [-128, 127]),
        ("i16", [-32768, 32767]),
        ("i24", [-8388608, 8388607]),
        ("i24", [-2, 70000]),
        ("i32", [-2147483648, 2147483647]),
    ],
)
def test_integers(order: str, kind: str, values: list[int]) -> None:
    form = settings(values=kind, byte_order=order, scale=(2.0, 0.5))
    width = int(kind[1:]) // 8
    one = b"\xaa\x55" + b"".join(value.to_bytes(width, order, signed=True) for value in values)  # type: ignore[arg-type]
    runs = BinaryDecoder(form, 2).feed(3 * one)
    assert merged(runs) == [
        ([[2.0 * values[0], 0.5 * values[1]]] * 2, None)
    ]  # the third waits for a head behind


@pytest.mark.parametrize("order", ["<", ">"])
def test_floats_must_be_finite(order: str) -> None:
    form = settings(values="f32", byte_order="little" if order == "<" else "big", checksum="sum8")

    def one(value: float) -> bytes:
        body = b"\xaa\x55" + struct.pack(f"{order}f", value)
        return body + bytes([sum(body) % 256])

    decoder = BinaryDecoder(form, 1)
    numbers = [1.5, 2.5, float("nan"), 3.5, float("inf"), 4.5, 5.5, 6.5]
    runs = decoder.feed(b"".join(map(one, numbers)))
    assert all_samples(runs).tolist() == [[1.5, 2.5, 4.5, 5.5]]
    assert decoder.bad_bytes == 3 * 7  # a frame between two bad ones is not trusted either


@pytest.mark.parametrize("kind", CHECKSUMS)
@hypothesis_settings(max_examples=40, deadline=None)
@given(
    places=cut_places,
    garbage=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=40)), max_size=4),
    removed=st.sets(st.integers(1, 28)),
    counter=st.sampled_from(["none", "u8", "u16"]),
)
def test_cuts_make_no_difference(
    kind: ChecksumKind,
    places: list[float],
    garbage: list[tuple[float, bytes]],
    removed: set[int],
    counter: str,
) -> None:
    form = settings(checksum=kind, counter=counter)
    _, frames = stream(form, 30)
    data = b"".join(one for i, one in enumerate(frames) if i not in removed)
    for place, noise in garbage:
        at = round(place * len(data))
        data = data[:at] + noise + data[at:]
    whole, pieces = BinaryDecoder(form, 3), BinaryDecoder(form, 3)
    assert merged(whole.feed(data)) == merged(feed_in_pieces(pieces.feed, data, places))
    assert whole.bad_bytes == pieces.bad_bytes
    byte_by_byte = BinaryDecoder(form, 3)
    runs = [run for i in range(len(data)) for run in byte_by_byte.feed(data[i : i + 1])]
    assert merged(runs) == merged(BinaryDecoder(form, 3).feed(data))


@pytest.mark.parametrize("kind", CHECKSUMS[1:])
@hypothesis_settings(max_examples=60, deadline=None)
@given(
    garbage=st.lists(
        st.tuples(
            st.floats(0, 1), st.one_of(st.binary(max_size=40), st.sampled_from([b"\xaa\x55", b"\xaa", b"\0"]))
        ),
        max_size=6,
    )
)
def test_no_garbage_makes_a_sample_that_was_not_sent(
    kind: ChecksumKind, garbage: list[tuple[float, bytes]]
) -> None:
    form = settings(checksum=kind, counter="u16")
    samples, frames = stream(form, 40)
    data = b"".join(frames)
    for place, noise in garbage:
        at = round(place * len(data))
        data = data[:at] + noise + data[at:]
    runs = BinaryDecoder(form, 3).feed(data)
    position = None
    for run in runs:  # every sample stands where counter and losses say
        found = run.samples.T.tolist()
        if position is None:
            position = samples.index([int(value) for value in found[0]])
        position += (run.loss.samples or 0) if run.loss else 0
        assert found == samples[position : position + len(found)]
        position += len(found)


def test_removed_frames_are_counted_exactly() -> None:
    form = settings(checksum="crc16-modbus", counter="u8")
    _, frames = stream(form, 250)
    frames = [frame(form, [i, i, i], i % 256) for i in range(600)]
    kept = [*frames[:50], *frames[53:254], *frames[257:400], *frames[401:]]
    runs = BinaryDecoder(form, 3).feed(b"".join(kept))
    losses = [run.loss for run in runs if run.loss]
    assert losses == [Loss(LossCause.DEVICE, samples, modulus=256) for samples in (3, 3, 1)]
    assert all_samples(runs).shape[1] == len(kept)


def test_a_frame_sent_twice_is_dropped() -> None:
    form = settings(checksum="crc16-ccitt", counter="u16")
    samples, frames = stream(form, 6)
    decoder = BinaryDecoder(form, 3)
    runs = decoder.feed(b"".join([*frames[:3], frames[2], frames[2], *frames[3:]]))
    assert merged(runs) == [([[float(v) for v in s] for s in samples], None)]
    assert decoder.bad_bytes == 2 * len(frames[0])


def test_a_flipped_bit_costs_its_own_frame() -> None:
    form = settings(checksum="crc16-modbus")
    _, frames = stream(form, 10)
    frames[4] = frames[4][:5] + bytes([frames[4][5] ^ 0x10]) + frames[4][6:]
    decoder = BinaryDecoder(form, 3)
    runs = decoder.feed(b"".join(frames))
    assert [(len(s), loss) for s, loss in merged(runs)] == [
        (4, None),
        (5, Loss(LossCause.GARBAGE, 1, estimated=True)),
    ]
    assert decoder.bad_bytes == len(frames[4])


def test_garbage_with_a_counter_is_counted_exactly() -> None:
    form = settings(checksum="crc16-modbus", counter="u16")
    _, frames = stream(form, 20)
    data = b"".join(frames[:7]) + b"\x13\x37" * 50 + b"".join(frames[9:])
    runs = BinaryDecoder(form, 3).feed(data)
    assert [run.loss for run in runs] == [None, Loss(LossCause.GARBAGE, 2, modulus=65536)]
    between = b"".join(frames[:7]) + b"\x13\x37" * 50 + b"".join(frames[7:])
    assert [loss for _, loss in merged(BinaryDecoder(form, 3).feed(between))] == [None]


def test_without_checksum_a_frame_waits_for_the_next_head() -> None:
    form = settings()
    samples, frames = stream(form, 4)
    decoder = BinaryDecoder(form, 3)
    assert len(all_samples(decoder.feed(b"".join(frames))).T) == 3
    assert all_samples(decoder.feed(b"\xaa\x55")).T.tolist() == [samples[3]]


def test_without_checksum_garbage_inside_a_frame_makes_no_sample() -> None:
    form = settings()
    samples, frames = stream(form, 12)
    for at in range(len(frames[5])):
        damaged = frames[5][:at] + b"\x01\x02\x03" + frames[5][at:]
        runs = BinaryDecoder(form, 3).feed(b"".join([*frames[:5], damaged, *frames[6:]]))
        assert is_subsequence(all_samples(runs).T.tolist(), samples)


def test_a_cut_frame_at_the_beginning_is_no_fault() -> None:
    form = settings(checksum="crc16-modbus")
    samples, frames = stream(form, 5)
    decoder = BinaryDecoder(form, 3)
    runs = decoder.feed(b"".join(frames)[4:])
    assert merged(runs) == [([[float(v) for v in s] for s in samples[1:]], None)]
    assert decoder.bad_bytes == 0


def test_nothing_but_noise_gives_nothing_and_is_counted() -> None:
    noise = np.random.default_rng(7).integers(0, 256, 200_000, np.uint8).tobytes()
    for form in (settings(checksum="crc16-modbus"), settings(sync="55", checksum="sum8")):
        decoder = BinaryDecoder(form, 3)
        assert decoder.feed(noise) == []
        assert len(noise) - 40 < decoder.bad_bytes <= len(noise)


def test_channels_clip_where_the_integers_end() -> None:
    channels = (Channel("x", "g"), Channel("y", "g", clip_low=-1.0, clip_high=1.0))
    limited = binary_channels(settings(values="i16", scale=0.001), channels)
    assert (limited[0].clip_low, limited[0].clip_high) == pytest.approx((-32.768, 32.767))
    assert limited[1] == channels[1]
    assert binary_channels(settings(values="f32"), channels) == channels
