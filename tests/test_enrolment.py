"""The sealed file of a new member: only the secret opens it, in time, and nothing in it can be changed."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.enrolment import (
    Enrolment,
    fingerprint,
    make_request,
    member_of,
    new_secret,
    read_request,
    seal,
    unseal,
)
from collector.errors import EnrolmentError

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
EXPIRES = NOW + timedelta(days=7)
SECRET = new_secret()
GATEWAY = Enrolment(
    kind="gateway",
    user="works.gw1",
    company="works",
    gateway="gw1",
    root="shopfloor/v1",
    host="broker.example.org",
    port=8883,
    authority="A",
    certificate="C",
    key="PRIVATE KEY",
)
SEALED = seal(GATEWAY, "works/gw1", SECRET, EXPIRES)


def refused(content: bytes, secret: str = SECRET, now: datetime = NOW) -> str:
    with pytest.raises(EnrolmentError) as told:
        unseal(content, secret, now)
    assert told.value.sentence.advice
    return told.value.sentence.code


def test_the_secret_opens_it_however_it_is_written() -> None:
    for written in (SECRET, SECRET.lower(), SECRET.replace("-", ""), f" {SECRET.replace('-', ' ')} "):
        assert unseal(SEALED, written, NOW) == GATEWAY
    assert member_of(SEALED) == "works/gw1" == GATEWAY.name


def test_nothing_secret_can_be_read_without_it() -> None:
    assert b"PRIVATE" not in SEALED
    assert b"example.org" not in SEALED
    assert refused(SEALED, new_secret()) == "enrolment.wrong-secret"
    assert refused(SEALED, "") == "enrolment.wrong-secret"


def test_it_ends() -> None:
    assert unseal(SEALED, SECRET, EXPIRES - timedelta(seconds=1)) == GATEWAY
    assert refused(SEALED, now=EXPIRES) == "enrolment.expired"


@pytest.mark.parametrize(
    ("key", "value"),
    [("expires", "2036-01-01T00:00:00Z"), ("member", "works/gw2"), ("salt", "AAAA"), ("nonce", "!")],
)
def test_what_is_readable_cannot_be_changed(key: str, value: str) -> None:
    changed = json.loads(SEALED) | {key: value}
    assert refused(json.dumps(changed).encode()) == "enrolment.wrong-secret"


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_what_is_sealed_cannot_be_changed(data: st.DataObject) -> None:
    document = json.loads(SEALED)
    place = data.draw(st.integers(0, len(document["sealed"]) - 1))
    letter = data.draw(st.sampled_from("ABCxyz019+/"))
    if document["sealed"][place] == letter:
        return
    document["sealed"] = document["sealed"][:place] + letter + document["sealed"][place + 1 :]
    assert refused(json.dumps(document).encode()) == "enrolment.wrong-secret"


@settings(deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=50).map(str.encode), st.just(b"[" * 100_000)))
def test_other_files_are_none(content: bytes) -> None:
    assert refused(content) == "enrolment.none"


def test_a_newer_ones_content_is_told() -> None:
    later = json.loads(SEALED) | {"collector_enrolment": 2}
    assert refused(json.dumps(later).encode()) == "enrolment.none"


def test_secrets_differ_and_can_be_read_out() -> None:
    secrets = {new_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert all(len(secret) == 24 and not set(secret) & set("01ILOU") - {"U"} for secret in secrets)


def test_a_request_tells_the_key_and_nothing_more() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    request = make_request("works/gw1", key)
    assert b"PRIVATE" not in request
    assert read_request(request) == key.public_key()
    assert fingerprint(read_request(request)) == fingerprint(key.public_key())
    assert fingerprint(ec.generate_private_key(ec.SECP256R1()).public_key()) != fingerprint(key.public_key())


def test_a_request_of_somebody_elses_key_or_of_another_kind_is_none() -> None:
    key, other = ec.generate_private_key(ec.SECP256R1()), rsa.generate_private_key(65537, 2048)
    builder = x509.CertificateSigningRequestBuilder(x509.Name([]))
    der = bytearray(builder.sign(key, SHA256()).public_bytes(Encoding.DER))
    der[-1] ^= 1
    tampered = x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM)
    weak = make_request("a", ec.generate_private_key(ec.SECP224R1()))
    for content in (
        b"",
        b"-----BEGIN",
        weak,
        tampered,
        builder.sign(other, SHA256()).public_bytes(Encoding.PEM),
    ):
        with pytest.raises(EnrolmentError) as told:
            read_request(content)
        assert told.value.sentence.code == "enrolment.no-request"
