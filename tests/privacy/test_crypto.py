"""Sealing: what goes in comes out, in its own place only."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy import crypto
from privacy.crypto import Context, Recipient
from privacy.errors import SealBroken
from privacy.plain import Plain

SEED = crypto.new_seed()
PUBLIC = crypto.public_half(SEED)
PLACE = Context(1, Recipient.FLEET, uuid.uuid4(), uuid.uuid4())


@given(st.binary(max_size=5000))
def test_what_was_sealed_opens_again(data: bytes) -> None:
    sealed = crypto.seal(Plain(data), PUBLIC, PLACE)
    assert crypto.unseal(sealed, SEED, PLACE).reveal() == data
    assert len(sealed.capsule) + len(sealed.body) == len(data) + 1137


@given(st.data())
def test_a_flipped_bit_is_refused(data: st.DataObject) -> None:
    sealed = crypto.seal(Plain(b"a face" * 20), PUBLIC, PLACE)
    whole = bytearray(sealed.capsule + bytes(sealed.body))
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    split = len(sealed.capsule)
    with pytest.raises(SealBroken):
        crypto.unseal(crypto.stored(bytes(whole[:split]), bytes(whole[split:])), SEED, PLACE)


@pytest.mark.parametrize(
    "other",
    [
        Context(2, PLACE.recipient, PLACE.owner, PLACE.blob),
        Context(1, Recipient.OWNER, PLACE.owner, PLACE.blob),
        Context(1, PLACE.recipient, uuid.uuid4(), PLACE.blob),
        Context(1, PLACE.recipient, PLACE.owner, uuid.uuid4()),
    ],
)
def test_it_opens_nowhere_else(other: Context) -> None:
    sealed = crypto.seal(Plain(b"a face"), PUBLIC, PLACE)
    with pytest.raises(SealBroken):
        crypto.unseal(sealed, SEED, other)


def test_trailing_and_missing_bytes_are_refused() -> None:
    sealed = crypto.seal(Plain(b"a face"), PUBLIC, PLACE)
    whole = bytes(sealed.body)
    for body in (whole + b"x", whole[:-1], whole[:1], b""):
        with pytest.raises(SealBroken):
            crypto.unseal(crypto.stored(sealed.capsule, body), SEED, PLACE)


def test_another_key_does_not_open_it() -> None:
    sealed = crypto.seal(Plain(b"a face"), PUBLIC, PLACE)
    with pytest.raises(SealBroken):
        crypto.unseal(sealed, crypto.new_seed(), PLACE)


def test_of_more_keys_than_are_remembered_each_opens_its_own() -> None:
    seeds = [crypto.new_seed() for _ in range(crypto.KEYS_KEPT + 1)]
    publics = [crypto.public_half(seed) for seed in seeds]
    for _ in range(2):
        for seed, public in zip(seeds, publics, strict=True):
            sealed = crypto.seal(Plain(b"a face"), public, PLACE)
            assert crypto.unseal(sealed, seed, PLACE).reveal() == b"a face"


def test_sealed_cannot_be_made_by_hand() -> None:
    with pytest.raises(TypeError):
        crypto.Sealed(b"", b"", None)


def test_a_wrapped_owner_key_opens_for_its_owner_and_root_only() -> None:
    root, owner, seed = crypto.new_seed(), uuid.uuid4(), crypto.new_seed()
    wrapped = crypto.wrap(seed, root, owner)
    assert crypto.unwrap(wrapped, root, owner) == seed
    for bad in ((wrapped, crypto.new_seed(), owner), (wrapped, root, uuid.uuid4())):
        with pytest.raises(SealBroken):
            crypto.unwrap(*bad)


def test_plain_bytes_show_nothing() -> None:
    plain = Plain(b"secret")
    assert "secret" not in f"{plain} {plain!r} {[plain]}"
    with pytest.raises(TypeError):
        plain.__reduce__()
