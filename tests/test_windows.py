"""Windows against a slow reference that knows the whole stream, for any cuts, gaps, lengths and hops."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.health import Account
from collector.samples import Block, Gap, LossCause, Samples, Window
from collector.windows import MAX_SAMPLES, Windows, WindowSettings


def ramp(first: int, size: int, channels: int) -> Samples:
    """Samples that tell their own index and channel."""
    index = np.arange(first, first + size, dtype=np.float64)
    return index * 10 + np.arange(channels, dtype=np.float64)[:, np.newaxis]


@dataclass
class Piece:
    """A block's size and the loss before it; None means that it joins on."""

    size: int
    lost: int | None


PIECES = st.lists(
    st.builds(Piece, st.integers(0, 70), st.one_of(st.none(), st.none(), st.integers(0, 40))),
    min_size=1,
    max_size=25,
)


def blocks_of(pieces: list[Piece], channels: int, first: int) -> list[Block]:
    blocks = []
    for piece in pieces:
        gap = None
        if piece.lost is not None:
            gap = Gap(LossCause.DEVICE, first, piece.lost, estimated=False)
            first += piece.lost
        blocks.append(Block(first, ramp(first, piece.size, channels), gap))
        first += piece.size
    return blocks


def reference(blocks: list[Block], n: int, hop: int) -> tuple[list[tuple[int, int]], Account]:
    """First index and loss of each window, and the account, from the runs between the gaps."""
    runs: list[list[int]] = []  # loss before, start, end
    for block in blocks:
        if block.gap is not None or not runs:
            runs.append([block.gap.lost if block.gap else 0, block.first, block.end])
        else:
            runs[-1][2] = block.end
    found, account, lost_since = [], Account(), 0
    for number, (lost, start, end) in enumerate(runs):
        lost_since += lost
        at = start
        while at + n <= end:
            found.append((at, lost_since))
            lost_since = 0
            at += hop
        rest = max(end - at, 0)
        account.fed += lost + end - start
        account.lost += lost
        account.advanced += end - start - rest
        if number == len(runs) - 1:
            account.open = rest
        else:
            account.discarded += rest
    return found, account


@given(PIECES, st.integers(1, 3), st.integers(1, 50), st.integers(1, 80), st.integers(0, 1000))
def test_windows_and_account_agree_with_the_reference(
    pieces: list[Piece], channels: int, n: int, hop: int, first: int
) -> None:
    windows = Windows(channels, n, hop)
    blocks = blocks_of(pieces, channels, first)
    seen: list[Window] = []
    for count, block in enumerate(blocks, start=1):
        seen += windows.push(block)
        block.samples[:] = np.nan  # a window must not lean on its blocks
        expected, account = reference(blocks[:count], n, hop)
        assert [(window.first, window.lost) for window in seen] == expected
        assert windows.account() == account
    for window in seen:  # still intact after every later push
        np.testing.assert_array_equal(window.samples, ramp(window.first, n, channels))
        assert (window.n, window.hop) == (n, hop)
        assert window.samples.flags.c_contiguous
    before = windows.account()
    windows.close()
    after = windows.account()
    assert (after.open, after.discarded) == (0, before.discarded + before.open)
    assert after.fed == after.advanced + after.discarded + after.lost


@given(PIECES, st.integers(1, 50), st.integers(1, 80))
def test_cuts_between_blocks_do_not_matter(pieces: list[Piece], n: int, hop: int) -> None:
    whole = [Piece(sum(piece.size for piece in pieces), None)]
    cut = [Piece(piece.size, None) for piece in pieces]
    results = []
    for arrangement in (whole, cut):
        windows = Windows(1, n, hop)
        seen = [window for block in blocks_of(arrangement, 1, 0) for window in windows.push(block)]
        results.append(([(window.first, window.samples.tolist()) for window in seen], windows.account()))
    assert results[0] == results[1]


def test_a_window_never_spans_a_gap() -> None:
    windows = Windows(1, 4, 4)
    assert windows.push(Block(0, ramp(0, 3, 1))) == []
    gap = Gap(LossCause.DEVICE, 3, 2, estimated=False)
    (window,) = windows.push(Block(5, ramp(5, 4, 1), gap))
    assert (window.first, window.lost) == (5, 2)
    assert windows.account() == Account(fed=9, advanced=4, discarded=3, lost=2, open=0)


def test_a_gap_of_unknown_size_still_cuts() -> None:
    windows = Windows(1, 4, 4)
    windows.push(Block(0, ramp(0, 3, 1)))
    assert windows.push(Block(3, ramp(3, 3, 1), Gap(LossCause.GARBAGE, 3, 0, estimated=True))) == []
    assert windows.account() == Account(fed=6, advanced=0, discarded=3, lost=0, open=3)


def test_the_stream_goes_on_after_close() -> None:
    windows = Windows(1, 4, 4)
    windows.push(Block(0, ramp(0, 3, 1)))
    windows.close()
    (window,) = windows.push(Block(3, ramp(3, 4, 1)))
    assert window.first == 3
    assert windows.account() == Account(fed=7, advanced=4, discarded=3, lost=0, open=0)


@pytest.mark.parametrize(
    "block",
    [
        Block(11, ramp(11, 1, 2)),
        Block(9, ramp(9, 1, 2)),
        Block(12, ramp(12, 1, 2), Gap(LossCause.DEVICE, 10, 1, estimated=False)),
        Block(12, ramp(12, 1, 2), Gap(LossCause.DEVICE, 11, 1, estimated=False)),
        Block(9, ramp(9, 1, 2), Gap(LossCause.DEVICE, 10, -1, estimated=False)),
        Block(10, ramp(10, 1, 3)),
    ],
    ids=["jump", "back", "gap too small", "gap elsewhere", "gap backwards", "channels"],
)
def test_a_block_that_does_not_follow_is_refused_and_changes_nothing(block: Block) -> None:
    windows = Windows(2, 16, 8)
    windows.push(Block(0, ramp(0, 10, 2)))
    before = windows.account()
    with pytest.raises(ValueError, match=r"channels|start|lie"):
        windows.push(block)
    assert windows.account() == before


@pytest.mark.parametrize(("channels", "n", "hop"), [(0, 4, 4), (1, 0, 4), (1, 4, 0)])
def test_impossible_windows_are_refused(channels: int, n: int, hop: int) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Windows(channels, n, hop)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (WindowSettings(samples=1024), (1024, 1024)),
        (WindowSettings(samples=1024, overlap=0.5), (1024, 512)),
        (WindowSettings(samples=1024, hop_samples=3000), (1024, 3000)),
        (WindowSettings(samples=16, overlap=0.999), (16, 1)),
        (WindowSettings(seconds=1.0004), (1000, 1000)),
        (WindowSettings(seconds=0.5, overlap=0.75), (500, 125)),
    ],
)
def test_settings_resolve(settings: WindowSettings, expected: tuple[int, int]) -> None:
    assert settings.resolve(1000.0) == expected


@pytest.mark.parametrize(
    "settings",
    [
        WindowSettings(),
        WindowSettings(samples=1024, seconds=1),
        WindowSettings(seconds=0.01),
        WindowSettings(seconds=MAX_SAMPLES),
        WindowSettings(seconds=1e308),
        WindowSettings(samples=1024, overlap=0.5, hop_samples=512),
    ],
)
def test_settings_that_make_no_window_are_refused(settings: WindowSettings) -> None:
    with pytest.raises(ValueError, match=r"length|samples|overlap"):
        settings.resolve(1000.0)
