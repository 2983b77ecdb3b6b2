"""Apple is told when somebody goes: the code is exchanged, the token sealed, revoked at the end."""

import json
import time
import uuid
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jwt
import pytest
from django.utils import timezone

from accounts.models import User
from privacy import erasure, keys, keystores, recipients, signing, signins
from privacy.errors import KeyNotHeld, NotReady
from privacy.models import ErasureRecipient, GrantKey, Lease, Pulse, SignInGrant
from privacy.plain import Plain
from tests.accounts.caller import Caller
from tests.accounts.openid import APP, OpenId, new_key, pem
from tests.privacy.erasing import advance, proved
from workers import courier, outside, providers

IN = "auth/provider/token"
SAID = {"region": "eu_uk", "is_adult": True}
KEY = new_key("ES256")


@pytest.fixture
def apple(provider: OpenId, settings_of: Any, born: Any) -> Iterator[OpenId]:
    """An installation that can revoke; this process is the web."""
    SignInGrant.objects.all().delete()
    Lease.objects.filter(kind=signins.LEASE).delete()
    GrantKey.objects.all().delete()
    Pulse.objects.update_or_create(pk=1, defaults={"at": timezone.now()})
    settings_of(APPLE_KEY=pem(KEY), APPLE_TEAM="TEAM123456", APPLE_KEY_ID="KEY1234567")
    born("courier")
    for label in list(keystores.of("grant").labels()):
        keystores.of("grant").remove(label)
    courier.start()
    born("web")
    yield provider
    SignInGrant.objects.all().delete()
    Lease.objects.filter(kind=signins.LEASE).delete()
    recipients.recipients[signins.APPLE] = signins.RECIPIENT


def arrive(apple: OpenId, code: str = "c0de") -> tuple[User, Caller, str]:
    """Somebody new who has come with a code."""
    who, caller = uuid.uuid4().hex, Caller()
    token = apple.token("apple", who)
    said = caller.post(IN, provider="apple", id_token=token, authorization_code=code, **SAID)
    assert said.status_code == 200, said.content
    return User.objects.get(email=f"{who}@example.org"), caller, who


def carry(born: Any) -> int:
    """The courier, once, for whatever may be tried now."""
    born("courier")
    Lease.objects.filter(kind=signins.LEASE).update(ready_at=timezone.now())
    try:
        return providers.run()
    finally:
        born("web")


def due_again() -> None:
    ErasureRecipient.objects.update(next_at=timezone.now())


def test_a_code_becomes_a_token_that_the_courier_alone_can_open(apple: OpenId, born: Any) -> None:
    user, _, _ = arrive(apple)
    grant = SignInGrant.objects.get(subject_id=user.pk)
    assert (grant.state, grant.client, grant.ending_at) == ("code", APP, None)
    assert carry(born) == 1
    ((path, form),) = apple.forms
    assert (path, form["code"], form["grant_type"], form["client_id"]) == (
        "/auth/token",
        "c0de",
        "authorization_code",
        APP,
    )
    secret = jwt.decode(
        form["client_secret"],
        KEY.public_key(),
        algorithms=["ES256"],
        audience="https://appleid.apple.com",
        issuer="TEAM123456",
    )
    assert secret["sub"] == APP
    assert jwt.get_unverified_header(form["client_secret"])["kid"] == "KEY1234567"
    grant.refresh_from_db()
    assert grant.state == "held"
    assert b"refresh" not in bytes(grant.body)
    assert not Lease.objects.filter(work_id=grant.pk).exists()
    errand = signins.Errand(None, grant)  # type: ignore[arg-type]
    for role in ("web", "upkeep", "keeper", "intake"):
        born(role)
        with pytest.raises(KeyNotHeld):
            signins.open_token(errand)
    born("courier")
    assert signins.open_token(errand).reveal() == b"refresh of c0de"


def test_the_receipt_comes_complete_only_once_apple_has_revoked(apple: OpenId, born: Any) -> None:
    user, _, _ = arrive(apple)
    carry(born)
    begun = erasure.request(user.pk, timezone.now())
    assert not advance(born, begun)
    assert statement(begun)["recipients_pending"] == ["apple"]
    assert not User.objects.filter(pk=user.pk).exists()
    apple.trouble = [(503, b""), (500, b"not json")]
    for tried in (1, 2):
        assert carry(born) == 1
        assert len(apple.forms) == 1 + tried
        due_again()
        assert not advance(born, begun)
        assert statement(begun)["recipients_pending"] == ["apple"]
    assert carry(born) == 1
    path, form = apple.forms[-1]
    assert (path, form["token"], form["token_type_hint"]) == (
        "/auth/revoke",
        "refresh of c0de",
        "refresh_token",
    )
    due_again()
    assert advance(born, begun)
    last = statement(begun)
    assert (last["recipients_told"], last["recipients_pending"]) == (["apple"], [])
    assert not SignInGrant.objects.filter(subject_id=user.pk).exists()
    assert not Lease.objects.filter(kind=signins.LEASE).exists()


def statement(row: Any) -> dict[str, Any]:
    receipt = proved(row).receipt
    assert receipt is not None
    assert signing.verified(receipt)
    return dict(receipt["statement"])


def test_who_does_not_sign_in_by_apple_is_not_told_of(apple: OpenId, born: Any) -> None:
    user = User.objects.create_user(f"{uuid.uuid4().hex}@example.org", "correct-horse-9x")
    begun = erasure.request(user.pk, timezone.now())
    assert advance(born, begun)
    assert statement(begun)["recipients_told"] == []


def test_an_erasure_before_the_exchange_exchanges_first(apple: OpenId, born: Any) -> None:
    user, _, _ = arrive(apple)
    begun = erasure.request(user.pk, timezone.now())
    assert not advance(born, begun)
    assert carry(born) == 2
    assert [path for path, _ in apple.forms] == ["/auth/token", "/auth/revoke"]
    due_again()
    assert advance(born, begun)


def test_a_code_or_token_that_apple_knows_no_more_is_over(apple: OpenId, born: Any) -> None:
    spent = (400, json.dumps({"error": "invalid_grant"}).encode())
    user, _, _ = arrive(apple)
    apple.trouble = [spent]
    carry(born)
    assert not SignInGrant.objects.filter(subject_id=user.pk).exists()
    other, _, _ = arrive(apple)
    carry(born)
    assert signins.end(other.pk, "apple", timezone.now()) == 1
    apple.trouble = [spent]
    carry(born)
    assert signins.end(other.pk, "apple", timezone.now()) == 0


@pytest.mark.parametrize(
    "answer",
    [
        (200, b"{}"),
        (200, b"[]"),
        (200, b'{"refresh_token": 7}'),
        (401, b'{"error": "x"}'),
        (302, b""),
    ],
)
def test_an_answer_that_says_nothing_is_asked_for_again(
    apple: OpenId, born: Any, answer: tuple[int, bytes]
) -> None:
    user, _, _ = arrive(apple)
    apple.trouble = [answer]
    carry(born)
    assert SignInGrant.objects.get(subject_id=user.pk).state == "code"
    carry(born)
    assert SignInGrant.objects.get(subject_id=user.pk).state == "held"


def test_a_code_that_is_too_old_is_given_up_and_a_token_never(apple: OpenId, born: Any) -> None:
    user, _, _ = arrive(apple)
    long_ago = timezone.now() - timedelta(minutes=6)
    SignInGrant.objects.filter(subject_id=user.pk).update(created_at=long_ago)
    apple.trouble = [(503, b"")]
    carry(born)
    assert not SignInGrant.objects.filter(subject_id=user.pk).exists()
    other, _, _ = arrive(apple)
    carry(born)
    SignInGrant.objects.filter(subject_id=other.pk).update(created_at=long_ago)
    signins.end(other.pk, "apple", timezone.now())
    apple.trouble = [(503, b"")] * 3
    for _ in range(3):
        carry(born)
    assert SignInGrant.objects.exclude(ending_at=None).filter(subject_id=other.pk).exists()


def test_apple_away_is_no_answer(apple: OpenId, born: Any, settings_of: Any) -> None:
    user, _, _ = arrive(apple)
    settings_of(APPLE_URL="http://127.0.0.1:1")
    carry(born)
    lease = Lease.objects.get(kind=signins.LEASE)
    assert lease.ready_at > timezone.now()
    assert SignInGrant.objects.get(subject_id=user.pk).state == "code"


def test_parting_with_apple_revokes_too_and_one_token_is_enough(apple: OpenId, born: Any) -> None:
    user, caller, who = arrive(apple)
    carry(born)
    again = caller.ask("DELETE", "auth/session")
    assert again.status_code == 204
    second = Caller().post(
        IN, provider="apple", id_token=apple.token("apple", who), authorization_code="other"
    )
    assert second.status_code == 200
    assert SignInGrant.objects.filter(subject_id=user.pk).count() == 1
    back = Caller()
    back.post(IN, provider="apple", id_token=apple.token("apple", who))
    back.post("auth/provider/reauthenticate", provider="apple", id_token=apple.token("apple", who))
    done = back.post("account/password/change", new_password="another-horse-7z")
    assert done.status_code == 200, done.content
    (row,) = back.get("account/providers").said["data"]
    assert back.delete(f"account/providers/apple/{row['uid']}").status_code == 200
    carry(born)
    assert apple.forms[-1][0] == "/auth/revoke"
    assert not SignInGrant.objects.filter(subject_id=user.pk).exists()


def test_a_code_that_nobody_can_exchange_is_not_kept(apple: OpenId, born: Any) -> None:
    now, who = timezone.now(), uuid.uuid4()
    signins.keep(who, "google", APP, "c0de", now)
    GrantKey.objects.all().delete()
    signins.keep(who, "apple", APP, "c0de", now)
    assert not SignInGrant.objects.filter(subject_id=who).exists()


def test_what_was_taken_from_its_holder_is_not_written(apple: OpenId, born: Any) -> None:
    user, _, _ = arrive(apple)
    born("courier")
    errand = signins.claim()
    assert errand is not None
    Lease.objects.filter(work_id=errand.grant.pk).update(token=errand.held.token + 1)
    assert not signins.exchanged(errand, Plain(b"late"))
    signins.over(errand)
    assert SignInGrant.objects.get(subject_id=user.pk).state == "code"
    GrantKey.objects.all().delete()
    assert not signins.exchanged(errand, Plain(b"late"))


def test_work_that_is_no_more_is_passed_by(apple: OpenId, born: Any) -> None:
    arrive(apple)
    SignInGrant.objects.all().delete()
    assert carry(born) == 0
    assert not Lease.objects.filter(kind=signins.LEASE).exists()


def test_the_seed_of_a_year_goes_with_its_last_token(apple: OpenId, born: Any) -> None:
    user, _, _ = arrive(apple)
    year = timezone.now().date().replace(day=1)
    born("courier")
    keys.publish_grant_key(year.replace(year=year.year + 1))
    store = keystores.of("grant")
    assert store.labels() == [str(year.year), str(year.year + 1)]
    carry(born)
    assert SignInGrant.objects.get(subject_id=user.pk).key_label == str(year.year + 1)
    born("courier")
    keys.publish_grant_key(year.replace(year=year.year + 1))
    assert store.labels() == [str(year.year + 1)]
    keys.check_held(timezone.now())


def test_nothing_is_carried_in_a_restored_database(apple: OpenId, born: Any) -> None:
    arrive(apple)
    Pulse.objects.update(at=timezone.now() - timedelta(minutes=6))
    assert carry(born) == 0
    assert apple.forms == []


def test_the_courier_names_the_setting_that_is_the_matter(
    apple: OpenId, born: Any, settings_of: Any
) -> None:
    born("courier")
    settings_of(APPLE_KEY="no key")
    with pytest.raises(NotReady, match="SITTER_APPLE_KEY"):
        courier.start()
    settings_of(APPLE_KEY=pem(KEY), APPLE_URL="ftp://apple")
    with pytest.raises(NotReady, match="SITTER_APPLE_URL"):
        courier.start()
    settings_of(APPLE_URL=apple.url, PROVIDERS={"apple": [], "google": []}, WEBHOOK_URL=None)
    with pytest.raises(NotReady, match="SITTER_WEBHOOK_URL"):
        courier.start()
    settings_of(APPLE_KEY="")
    assert providers.run() == 0


def test_an_answer_that_drips_or_swells_is_none(apple: OpenId) -> None:
    target = outside.target(f"{apple.url}/auth/keys", insecure=True, private=True)
    apple.drip = 0.05
    began = time.monotonic()
    with pytest.raises(outside.NotReached, match="timed_out"):
        outside.get(target, keep=65_536, seconds=0.5)
    assert time.monotonic() - began < 1.5
    apple.drip = 0
    apple.trouble = [(200, b"x" * 70_000)]
    with pytest.raises(outside.NotReached, match="too_long"):
        outside.get(target, keep=65_536)
