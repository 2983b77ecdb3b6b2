"""Signing in with Apple and Google, by tokens of a provider of the tests' own."""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount, SocialToken
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.db import connection, connections
from django.utils import timezone

from accounts.models import ProviderKeys, Session, User
from tests.accounts.caller import Caller, member, pending, refusal
from tests.accounts.openid import OpenId
from tests.accounts.test_codes import set_up
from workers import providers

IN = "auth/provider/token"
AGAIN = "auth/provider/reauthenticate"
MINE = "account/providers"
SAID = {"region": "eu_uk", "is_adult": True}


def somebody() -> str:
    return uuid.uuid4().hex


def arrive(provider: OpenId, who: str, by: str = "apple", **more: Any) -> tuple[Caller, Any]:
    """A newcomer or somebody known, with all that may be asked of them."""
    caller = Caller()
    answer = caller.post(IN, provider=by, id_token=provider.token(by, who), **(SAID | more))
    return caller, answer


@pytest.mark.parametrize("by", ["apple", "google"])
def test_a_newcomer_attests_first_and_is_known_from_then_on(provider: OpenId, by: str) -> None:
    who, caller = somebody(), Caller()
    token = provider.token(by, who)
    first = caller.post(IN, provider=by, id_token=token)
    assert refusal(first) == (409, "sign_up_needed")
    for half in ({"region": "eu_uk"}, {"is_adult": True}, {"region": "eu_uk", "is_adult": False}):
        assert refusal(caller.post(IN, provider=by, id_token=token, **half))[1] == "sign_up_needed"
    assert not User.objects.filter(email=f"{who}@example.org").exists()
    # The same token: nothing has come of it so far.
    made = caller.post(IN, provider=by, id_token=token, **SAID)
    assert made.status_code == 200, made.content
    assert caller.inside
    user = User.objects.get(email=f"{who}@example.org")
    assert (user.region, user.is_adult, user.has_usable_password()) == ("eu_uk", True, False)
    again = Caller()
    answer = again.post(IN, provider=by, id_token=provider.token(by, who))
    assert answer.said["data"]["user"]["id"] == str(user.pk)
    assert again.inside


def test_nothing_of_the_profile_is_kept(provider: OpenId) -> None:
    who = somebody()
    caller, _ = arrive(provider, who)
    user = User.objects.get(email=f"{who}@example.org")
    found = []
    with connection.cursor() as cursor:
        for table in ("accounts_user", "socialaccount_socialaccount", "account_emailaddress"):
            column = "id" if table == "accounts_user" else "user_id"
            cursor.execute(
                f"SELECT to_jsonb(t)::text FROM {table} t WHERE {column} = %s", [user.pk]
            )
            found += [row[0] for row in cursor.fetchall()]
    found.append(str(Session.objects.get(session_key=caller.token).get_decoded()))
    text = "\n".join(found).replace(user.email, "")
    assert who not in text
    assert "Grace" not in text
    assert "picture" not in text
    assert not SocialToken.objects.exists()
    assert SocialAccount.objects.get(user=user).extra_data == {}


LIES: dict[str, Callable[[OpenId, str], str]] = {
    "another app": lambda op, who: op.token("apple", who, aud="org.example.other"),
    "two apps": lambda op, who: op.token("apple", who, aud=["org.example.portraits", "x"]),
    "no app": lambda op, who: op.token("apple", who, aud=None),
    "another issuer": lambda op, who: op.token("apple", who, iss="https://evil.example"),
    "google as apple": lambda op, who: op.token("google", who),
    "expired": lambda op, who: op.token("apple", who, exp=1_700_000_000),
    "without an end": lambda op, who: op.token("apple", who, exp=None),
    "good for years": lambda op, who: op.token("apple", who, exp=4_000_000_000),
    "without end of numbers": lambda op, who: op.token("apple", who, exp=10**30),
    "from tomorrow": lambda op, who: op.token("apple", who, iat=_tomorrow(), exp=_tomorrow() + 60),
    "of nobody": lambda op, who: op.token("apple", who, sub=None),
    "of an empty name": lambda op, who: op.token("apple", who, sub=""),
    "of a number": lambda op, who: op.token("apple", who, sub=7),
    "unsigned": lambda op, who: _unsigned(op.token("apple", who)),
    "public key as secret": lambda op, who: _confused(op, who),
    "another key under a known name": lambda op, who: _forged(op, who),
    "algorithm of another kind": lambda op, who: _renamed(op.token("apple", who), "ES256"),
    "algorithm of nobody": lambda op, who: _renamed(op.token("apple", who), "RS1"),
    "no key named": lambda op, who: op.token("apple", who, header={"kid": ""}),
    "key of its own": lambda op, who: _with_own_key(op, who),
    "changed": lambda op, who: op.token("apple", who)[:-6] + "AAAAAA",
    "nothing": lambda op, who: "x",
    "dots": lambda op, who: "..",
    "two parts": lambda op, who: op.token("apple", who).rpartition(".")[0],
}


def _tomorrow() -> int:
    return int((timezone.now() + timedelta(days=1)).timestamp())


def _part(said: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()


def _unsigned(token: str) -> str:
    _, claims, _ = token.split(".")
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{claims}."


def _renamed(token: str, algorithm: str) -> str:
    header, _, rest = token.partition(".")
    said = json.loads(base64.urlsafe_b64decode(header + "==")) | {"alg": algorithm}
    return f"{_part(said)}.{rest}"


def _confused(op: OpenId, who: str) -> str:
    """Signed with HMAC, by the public key that everybody can read as if it were a secret."""
    kid, key = next(iter(op.keys["apple"].items()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    _, claims, _ = op.token("apple", who).split(".")
    signed = f"{_part({'alg': 'HS256', 'kid': kid})}.{claims}"
    mac = hmac.digest(public, signed.encode(), hashlib.sha256)
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def _forged(op: OpenId, who: str) -> str:
    liar = OpenId()
    liar.keys["apple"] = dict.fromkeys(op.keys["apple"], next(iter(liar.keys["apple"].values())))
    return liar.token("apple", who)


def _with_own_key(op: OpenId, who: str) -> str:
    liar = OpenId()
    (own,) = liar.published("apple")["keys"]
    return liar.token("apple", who, header={"jwk": own, "jku": "https://evil.example/keys"})


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_is_not_for_us_does_not_count(provider: OpenId, lie: str) -> None:
    who, caller = somebody(), Caller()
    answer = caller.post(IN, provider="apple", id_token=LIES[lie](provider, who), **SAID)
    assert refusal(answer) == (400, "invalid_token"), lie
    assert not caller.inside
    assert not User.objects.filter(email=f"{who}@example.org").exists()


def test_a_token_is_good_once(provider: OpenId) -> None:
    token = provider.token("apple", somebody())
    assert Caller().post(IN, provider="apple", id_token=token, **SAID).status_code == 200
    thief = Caller()
    answer = thief.post(IN, provider="apple", id_token=token, **SAID)
    assert refusal(answer) == (400, "token_used")
    assert not thief.inside


def test_a_nonce_is_compared_as_it_is_or_as_its_digest(provider: OpenId) -> None:
    digest = hashlib.sha256(b"made-up").hexdigest()
    for signed, sent, good in (
        ("made-up", "made-up", True),
        (digest, "made-up", True),
        ("made-up", "other", False),
        # Asked for and not checked is as bad as wrong.
        ("made-up", "", False),
        (None, "made-up", False),
    ):
        token = provider.token("apple", somebody(), nonce=signed)
        said = Caller().post(IN, provider="apple", id_token=token, nonce=sent, **SAID)
        assert (said.status_code == 200) is good, (signed, sent)


def test_keys_that_turn_are_fetched_within_the_minute(provider: OpenId) -> None:
    provider.turn("apple")
    who, caller = somebody(), Caller()
    token = provider.token("apple", who)
    # Fresh keys, and it is not among them: there is no such key.
    assert refusal(caller.post(IN, provider="apple", id_token=token, **SAID))[0] == 400
    long_ago = timezone.now() - timedelta(minutes=2)
    ProviderKeys.objects.update(fetched_at=long_ago)
    later = caller.post(IN, provider="apple", id_token=token, **SAID)
    assert refusal(later) == (503, "provider_away")
    assert int(later["Retry-After"]) > 0
    asked = len(provider.asked)
    assert providers.fetch_keys(timezone.now()) == 1
    assert providers.fetch_keys(timezone.now()) == 0
    assert len(provider.asked) == asked + 1
    assert caller.post(IN, provider="apple", id_token=token, **SAID).status_code == 200


def test_whoever_sends_nonsense_does_not_make_us_ask(provider: OpenId) -> None:
    asked = len(provider.asked)
    stranger = OpenId()
    for _ in range(5):
        Caller().post(IN, provider="apple", id_token=stranger.token("apple", "x"), **SAID)
        providers.fetch_keys(timezone.now())
    assert len(provider.asked) == asked


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": 1}',
        b'{"keys": [1]}',
        b'{"keys": []}',
        b"[" * 5000,
        b"x" * 99_999,
    ],
)
def test_keys_that_cannot_be_read_change_nothing(provider: OpenId, body: bytes) -> None:
    before = ProviderKeys.objects.get(pk="apple").keys
    ProviderKeys.objects.update(fetched_at=timezone.now() - timedelta(hours=2))
    provider.trouble = [(200, body), (500, b"{}")]
    providers.fetch_keys(timezone.now())
    assert ProviderKeys.objects.get(pk="apple").keys == before


def test_a_provider_that_is_away_is_said_so(provider: OpenId) -> None:
    token = provider.token("apple", somebody())
    ProviderKeys.objects.update(fetched_at=timezone.now() - timedelta(days=3))
    answer = Caller().post(IN, provider="apple", id_token=token, **SAID)
    assert refusal(answer) == (503, "provider_away")
    ProviderKeys.objects.all().delete()
    answer = Caller().post(IN, provider="apple", id_token=token, **SAID)
    assert refusal(answer) == (503, "provider_away")


def test_it_is_off_until_somebody_sets_it_up(provider: OpenId, settings_of: Any) -> None:
    settings_of(PROVIDERS={"apple": [], "google": []})
    answer = Caller().post(IN, provider="apple", id_token=provider.token("apple", "x"), **SAID)
    assert refusal(answer) == (404, "provider_off")
    assert providers.fetch_keys(timezone.now()) == 0
    said = Caller().get("auth/session")
    assert said.status_code == 401


def test_an_address_alone_opens_no_account(provider: OpenId) -> None:
    user, owner = member()
    caller = Caller()
    token = provider.token("google", somebody(), email=user.email.upper())
    answer = caller.post(IN, provider="google", id_token=token, **SAID)
    assert refusal(answer) == (409, "account_exists")
    assert not caller.inside
    # Signed in, and having just confirmed, the owner connects the two.
    who = somebody()
    linked = owner.post(MINE, provider="google", id_token=provider.token("google", who))
    assert [row["provider"]["id"] for row in linked.said["data"]] == ["google"]
    phone, came = arrive(provider, who, by="google")
    assert came.said["data"]["user"]["id"] == str(user.pk)
    assert phone.inside


@pytest.mark.parametrize(
    "change", [{"email": None}, {"email_verified": False}, {"email_verified": "false"}]
)
def test_an_address_that_is_not_verified_makes_no_account(
    provider: OpenId, change: dict[str, Any]
) -> None:
    token = provider.token("apple", somebody(), **change)
    answer = Caller().post(IN, provider="apple", id_token=token, **SAID)
    assert refusal(answer) == (409, "address_needed")


def test_connecting_takes_a_fresh_proof_and_nobody_elses_identity(provider: OpenId) -> None:
    who = somebody()
    arrive(provider, who)
    user, fresh = member(signed_in=False)
    fresh.sign_in(user.email)
    mine = provider.token("apple", somebody())
    answer = fresh.post(MINE, provider="apple", id_token=mine)
    assert refusal(answer) == (403, "reauthentication_required")
    assert fresh.confirm().status_code == 200
    theirs = fresh.post(MINE, provider="apple", id_token=provider.token("apple", who))
    assert refusal(theirs) == (400, "connected_other")
    assert refusal(Caller().post(MINE, provider="apple", id_token=mine))[0] == 401


def test_the_last_way_in_is_not_taken_away(provider: OpenId) -> None:
    who = somebody()
    caller, _ = arrive(provider, who)
    (row,) = caller.get(MINE).said["data"]
    address = f"{MINE}/apple/{row['uid']}"
    assert refusal(caller.delete(address)) == (400, "no_password")
    _, stranger = member()
    assert refusal(stranger.delete(address)) == (404, "not_found")
    user, owner = member()
    other = somebody()
    owner.post(MINE, provider="apple", id_token=provider.token("apple", other))
    (row,) = owner.get(MINE).said["data"]
    assert owner.delete(f"{MINE}/apple/{row['uid']}").said["data"] == []
    assert SocialAccount.objects.filter(user=user).count() == 0


def test_who_has_no_password_confirms_by_the_provider(provider: OpenId) -> None:
    who = somebody()
    caller, _ = arrive(provider, who)
    asked = {"scope": "account"}
    answer = caller.ask("POST", "/v1/me/erasure", asked)
    assert refusal(answer) == (403, "reauthentication_required")
    assert refusal(caller.get("account/authenticators/webauthn"))[0] == 403
    # Somebody else's token does not do, nor the one that they came in with.
    for token in (provider.token("apple", somebody()), provider.token("google", who)):
        assert refusal(caller.post(AGAIN, provider="apple", id_token=token))[0] == 400
    token = provider.token("apple", who)
    assert caller.post(AGAIN, provider="apple", id_token=token).status_code == 200
    assert refusal(caller.post(AGAIN, provider="apple", id_token=token)) == (400, "token_used")
    assert refusal(Caller().post(AGAIN, provider="apple", id_token=token))[0] == 401
    assert caller.get("account/authenticators/webauthn?passwordless").status_code == 200
    assert caller.ask("POST", "/v1/me/erasure", asked).status_code == 202


def test_a_second_step_is_asked_of_those_who_come_by_a_provider_too(provider: OpenId) -> None:
    _, owner = member()
    who = somebody()
    owner.post(MINE, provider="google", id_token=provider.token("google", who))
    set_up(owner)
    phone, came = arrive(provider, who, by="google")
    assert pending(came) == ["mfa_authenticate"]
    assert not phone.inside


def test_two_devices_at_once_make_one_account(provider: OpenId) -> None:
    who = somebody()
    tokens = [provider.token("apple", who) for _ in range(4)]

    def come(token: str) -> tuple[int, str]:
        try:
            answer = Caller().post(IN, provider="apple", id_token=token, **SAID)
        finally:
            connections.close_all()
        return answer.status_code, answer.said.get("errors", [{"code": ""}])[0]["code"]

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(come, tokens))
    assert User.objects.filter(email=f"{who}@example.org").count() == 1
    assert SocialAccount.objects.filter(user__email=f"{who}@example.org").count() == 1
    assert set(said) == {(200, "")}


def test_floods_are_counted_before_anything_is_looked_at(provider: OpenId) -> None:
    said = [Caller().post(IN, provider="apple", id_token="x").status_code for _ in range(35)]
    assert said[0] == 400
    assert said[-1] == 429


@pytest.mark.parametrize(
    ("body", "attr"),
    [
        ({"provider": "myspace", "id_token": "x"}, "provider"),
        ({"provider": "apple"}, "id_token"),
        ({"provider": "apple", "id_token": "x" * 9000}, "id_token"),
        ({"provider": "apple", "id_token": "a\x00b"}, "id_token"),
        ({"provider": "apple", "id_token": "x", "region": "moon"}, "region"),
        ({"provider": ["apple"], "id_token": {"x": 1}}, "provider"),
    ],
)
def test_what_is_missing_or_odd_is_named(provider: OpenId, body: dict[str, Any], attr: str) -> None:
    answer = Caller().ask("POST", IN, body)
    assert answer.status_code == 400, answer.content
    assert attr in [error["attr"] for error in answer.said["errors"]]
