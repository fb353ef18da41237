"""Recordings: values, scale, columns, pace, the end, and what is said of a file that cannot be played."""

import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from runs import all_samples, merged

from collector.errors import SourceError
from collector.samples import Channel, Loss, LossCause, Run
from collector.sources.reader import read_chunks
from collector.sources.replay import ReplayDevice, ReplaySettings, replay_source
from collector.sources.source import READ_WAIT_S

CHANNELS = tuple(Channel(name, "g") for name in "xyz")


def opened(file: Path, channels: int = 3, **changes: object) -> ReplayDevice:
    base = {"kind": "replay", "file": file, "rate_hz": 1000, "speed": "max"}
    return replay_source(ReplaySettings.model_validate(base | changes), CHANNELS[:channels]).open()


def play(device: ReplayDevice) -> list[Run]:
    runs: list[Run] = []
    with closing(device):
        while (more := device.read()) is not None:
            runs += more
    return runs


def complaint(file: Path, channels: int = 3, **changes: object) -> SourceError:
    with pytest.raises(SourceError) as caught:
        opened(file, channels, **changes)
    return caught.value


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    file = tmp_path / "run.csv"
    file.write_text("t,x,y,z\n# mill\n" + "".join(f"{i / 100},{i},{-i},0.5\n" for i in range(2500)))
    return file


@pytest.fixture
def npz(tmp_path: Path) -> Path:
    file = tmp_path / "run.npz"
    raw = np.arange(9000, dtype=np.int16).reshape(3000, 3)
    np.savez(
        file,
        samples=raw,
        one=raw[:, 0],
        gain=np.array(0.5),
        gains=np.array([1.0, 2.0, 4.0]),
        name=np.array("a"),
        empty=raw[:0],
    )
    return file


def test_a_real_recording(recordings: Path) -> None:
    file = recordings / "mill_accel_1khz_int16.npz"
    runs = play(opened(file, array="raw", scale="scale_g"))
    with np.load(file) as archive:
        expected = archive["raw"].T * float(archive["scale_g"])
    assert np.array_equal(all_samples(runs), expected)
    assert all(run.loss is None and run.samples.flags.c_contiguous for run in runs)


def test_csv(csv: Path) -> None:
    samples = all_samples(play(opened(csv, columns=(2, 3, 4), skip_lines=1, scale=(1.0, 2.0, 4.0))))
    assert np.array_equal(samples, [np.arange(2500), -2.0 * np.arange(2500), np.full(2500, 2.0)])


def test_other_delimiters(tmp_path: Path) -> None:
    file = tmp_path / "run.txt"
    file.write_text("\ufeff1 2\t3\n4  5 6 \n", encoding="utf-8")
    assert all_samples(play(opened(file, delimiter=""))).T.tolist() == [[1, 2, 3], [4, 5, 6]]
    file.write_text("1;2;3\n")
    assert all_samples(play(opened(file, delimiter=";"))).T.tolist() == [[1, 2, 3]]


def test_npz(npz: Path) -> None:
    raw = np.arange(9000.0).reshape(3000, 3).T
    assert np.array_equal(all_samples(play(opened(npz, scale="gain"))), raw * 0.5)
    assert np.array_equal(all_samples(play(opened(npz, scale="gains"))), raw * [[1], [2], [4]])
    assert np.array_equal(all_samples(play(opened(npz, 2, columns=(3, 1)))), raw[[2, 0]])
    assert np.array_equal(all_samples(play(opened(npz, 1, array="one"))), raw[:1])


def test_the_signal_is_known_before_anything_is_opened(tmp_path: Path) -> None:
    source = replay_source(ReplaySettings(kind="replay", file=tmp_path / "no.csv", rate_hz=10), CHANNELS)
    assert (source.signal.rate_hz, source.signal.rate_exact) == (10, True)
    assert (source.origin, source.waits) == ("replay", True)


def test_repeating_marks_the_seam(npz: Path) -> None:
    with closing(opened(npz, 1, array="one", repeat=True)) as device:
        runs = [run for _ in range(7) for run in device.read() or ()]
    whole = merged(runs)
    assert [loss for _, loss in whole] == [None, *[Loss(LossCause.RECONNECT, samples=0)] * 2]
    assert whole[0] == (whole[1][0], None)
    assert len(whole[0][0]) == 3000


async def test_a_slow_consumer_loses_nothing(npz: Path) -> None:
    source = replay_source(
        ReplaySettings(kind="replay", file=npz, rate_hz=1000, speed="max", repeat=False), CHANNELS
    )
    runs = [c.run async for chunks in read_chunks(source, queue_chunks=1) for c in chunks]
    assert all_samples(runs).shape[1] == 3000
    assert all(run.loss is None for run in runs)


def test_real_time_has_an_absolute_schedule(npz: Path) -> None:
    started = time.monotonic()
    runs = play(opened(npz, speed=10.0))
    assert 0.29 < time.monotonic() - started < 1.0
    assert all_samples(runs).shape[1] == 3000
    assert max(run.samples.shape[1] for run in runs) <= 1000


def test_a_slow_recording_never_holds_the_thread_for_long(npz: Path) -> None:
    with closing(opened(npz, rate_hz=0.5, speed=1.0)) as device:
        started = time.monotonic()
        assert device.read() == ()
        assert time.monotonic() - started < 5 * READ_WAIT_S


class TestWhatIsWrong:
    def test_missing(self, tmp_path: Path) -> None:
        for name in ("no.csv", "no.npz"):
            assert complaint(tmp_path / name).sentence.code == "source.replay.missing"

    def test_unreadable(self, tmp_path: Path) -> None:
        file = tmp_path / "folder.csv"
        file.mkdir()
        assert complaint(file).sentence.code == "source.replay.unreadable"

    def test_not_npz(self, tmp_path: Path, npz: Path) -> None:
        file = tmp_path / "text.npz"
        file.write_text("1,2,3\n")
        assert complaint(file).sentence.code == "source.replay.not-npz"
        torn = tmp_path / "torn.npz"
        torn.write_bytes(npz.read_bytes()[:-100])
        assert complaint(torn).sentence.code == "source.replay.not-npz"
        damaged = bytearray(npz.read_bytes())
        damaged[2000:2100] = b"\0" * 100
        torn.write_bytes(damaged)
        assert complaint(torn).sentence.code == "source.replay.unreadable"

    def test_arrays(self, tmp_path: Path, npz: Path) -> None:
        error = complaint(npz, array="raw")
        assert error.sentence.code == "source.replay.array-missing"
        assert "samples, one, gain, gains" in error.sentence.advice
        assert complaint(npz, scale="scale_g").sentence.code == "source.replay.array-missing"
        assert complaint(npz, array="name").sentence.code == "source.replay.array-not-samples"
        assert complaint(npz, array="gain").sentence.code == "source.replay.array-not-samples"
        assert complaint(npz, array="empty").sentence.code == "source.replay.empty"
        pickled = tmp_path / "pickled.npz"
        np.savez(pickled, samples=np.array([{"a": 1}], dtype=object))
        assert complaint(pickled).sentence.code == "source.replay.unreadable"

    def test_columns(self, csv: Path, npz: Path) -> None:
        assert complaint(npz, 2).sentence.code == "source.replay.columns"
        assert complaint(npz, columns=(1, 2, 4)).sentence.code == "source.replay.column-missing"
        error = complaint(csv, skip_lines=1)
        assert str(error) == f"The file {csv} has 4 columns for 3 channels."

    def test_lines(self, tmp_path: Path, csv: Path) -> None:
        error = complaint(csv, columns=(2, 3, 4))
        assert str(error) == f'Line 1 of {csv} has "x" in column 2, which is no number.'
        assert "skip_lines" in error.sentence.advice
        short = tmp_path / "short.csv"
        short.write_text("1,2,3\n\n4,5\n")
        assert str(complaint(short)) == f"Line 3 of {short} has 2 columns instead of 3."
        assert str(complaint(short, columns=(1, 2, 3))) == f"Line 3 of {short} has 2 columns instead of 3."
        odd = tmp_path / "odd.csv"
        odd.write_bytes(b"1,2,3\n4,\xff,6\n")
        assert complaint(odd).sentence.code == "source.replay.not-a-number"

    def test_empty(self, tmp_path: Path) -> None:
        file = tmp_path / "empty.csv"
        file.write_text("a,b\n")
        assert complaint(file, skip_lines=1).sentence.code == "source.replay.empty"

    @pytest.mark.parametrize("scale", ["name", "samples", (1.0, 2.0)])
    def test_scale(self, npz: Path, csv: Path, scale: str | tuple[float, ...]) -> None:
        assert complaint(npz, scale=scale).sentence.code == "source.replay.scale"
        assert complaint(csv, scale="gain", skip_lines=1).sentence.code == "source.replay.scale"
