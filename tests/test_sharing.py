"""What leaves: of a text nothing unless it is said; pseudonyms are stable, tell nothing; the key's file."""

import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.errors import SourceError
from collector.points import Point, PointKind, PointQuality, Reading, Share
from collector.pseudonym_key import FILE_NAME, PseudonymKey, SharingSettings
from collector.sharing import PSEUDONYM_LENGTH, leaving, pseudonym, share_of

KEY = bytes(range(32))
NUMBER, STATE, TEXT = PointKind

texts = st.text(max_size=60)


def reading(value: Any, quality: PointQuality = PointQuality.GOOD) -> Reading:
    return Reading("p", value, quality, 5, 7, detail="as the server says: SECRET-4711.MPF")


@pytest.mark.parametrize(
    ("kind", "configured", "share"),
    [
        (NUMBER, None, "plain"),
        (STATE, None, "plain"),
        (TEXT, None, "none"),
        (TEXT, "plain", "plain"),
        (TEXT, "pseudonym", "pseudonym"),
        (STATE, "pseudonym", "pseudonym"),
        (NUMBER, "none", "none"),
        (NUMBER, "pseudonym", "none"),
    ],
)
def test_texts_stay_and_all_else_leaves_unless_it_is_said(
    kind: PointKind, configured: Share | None, share: Share
) -> None:
    assert share_of(Point("p", kind, share=configured)) == share


def no_key() -> bytes:
    raise AssertionError("no key is needed")


def test_what_stays_is_gone_and_what_leaves_plainly_is_untouched() -> None:
    assert leaving(Point("p", TEXT), reading("SECRET-4711.MPF"), no_key) is None
    number = reading(1200.0)
    assert leaving(Point("p", NUMBER), number, no_key) is number


@given(texts, texts)
def test_pseudonyms_are_stable_different_and_say_nothing(one: str, other: str) -> None:
    point = Point("p", TEXT, share="pseudonym")
    made = leaving(point, reading(one), lambda: KEY)
    assert made is not None
    assert made.value == pseudonym(KEY, one)
    assert isinstance(made.value, str)
    assert len(made.value) == PSEUDONYM_LENGTH
    assert made.value.isascii()
    assert made.value.isalnum()
    assert made.value == made.value.lower()
    assert "SECRET" not in made.detail
    assert (made.quality, made.received_ns, made.source_us) == (PointQuality.GOOD, 5, 7)
    assert pseudonym(bytes(32), one) != made.value
    assert (pseudonym(KEY, other) == made.value) == (same(other) == same(one))


def same(text: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFC", text)


def test_the_same_letters_written_differently_have_one_pseudonym() -> None:
    assert pseudonym(KEY, "Welle-\u00fc") == pseudonym(KEY, "Welle-u\u0308")


def test_a_known_answer() -> None:
    """RFC 4231 test case 2: it must be the same in ten years, and on every gateway with this key."""
    digest = bytes.fromhex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    import base64

    expected = base64.b32encode(digest).decode().lower()[:12]
    assert pseudonym(b"Jefe", "what do ya want for nothing?") == expected == "lpomcrv7mb2u"


def test_no_value_needs_no_key() -> None:
    made = leaving(Point("p", TEXT, share="pseudonym"), reading(None, PointQuality.BAD), no_key)
    assert made is not None
    assert made.value is None


def test_the_key_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    state = tmp_path / "state"
    key = PseudonymKey(SharingSettings(), state)
    assert not state.exists(), "made at first use"
    first = key()
    file = state / FILE_NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(first) == 32
    assert key() == PseudonymKey(SharingSettings(), state)() == first
    assert [entry.name for entry in state.iterdir()] == [FILE_NAME]
    assert PseudonymKey(SharingSettings(), tmp_path / "other")() != first


def test_a_key_carried_from_another_gateway_gives_the_same_pseudonyms(tmp_path: Path) -> None:
    own = PseudonymKey(SharingSettings(), tmp_path / "one")
    own()
    carried = SharingSettings(key_file=str(tmp_path / "one" / FILE_NAME))
    assert PseudonymKey(carried, tmp_path / "two")() == own()
    assert not (tmp_path / "two").exists()


@pytest.mark.parametrize("content", [b"", b"short", b"00" * 31, b"zz" * 32, b"\xff" * 64])
def test_a_file_that_is_no_key_is_refused_and_never_replaced(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / FILE_NAME
    file.write_bytes(content)
    with pytest.raises(SourceError) as error:
        PseudonymKey(SharingSettings(), tmp_path)()
    assert error.value.sentence.code.startswith("source.points.key-")
    assert file.read_bytes() == content


def test_a_carried_key_that_is_missing_is_not_made_anew(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="No such file"):
        PseudonymKey(SharingSettings(key_file=str(tmp_path / "gone.key")), tmp_path)()
    assert not list(tmp_path.iterdir())
