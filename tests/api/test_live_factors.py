"""Second factors on the running stack, by the logins of its roles: set up, asked for, erased."""

import time

from tests.api.people import PASSWORD, People
from tests.staff.entering import code

AUTH = "/auth/app/v1/"


def test_a_person_with_every_way_in_is_asked_for_a_code_and_erased(people: People) -> None:
    person = people.make()
    assert person.confirm().status_code == 200
    secret = person.http.get(f"{AUTH}account/authenticators/totp").json()["meta"]["secret"]
    done = person.http.post(f"{AUTH}account/authenticators/totp", json={"code": code(secret)})
    assert done.status_code == 200, done.text
    options = person.http.get(f"{AUTH}account/authenticators/webauthn?passwordless")
    assert options.json()["data"]["creation_options"]["publicKey"]["rp"]["id"] == "localhost"
    # As a first sign-in by Apple leaves it.
    people.query(
        "INSERT INTO socialaccount_socialaccount (user_id, provider, uid, last_login, date_joined,"
        " extra_data) VALUES (%s, 'apple', %s, now(), now(), '{}')",
        *(person.id, person.id.hex),
    )
    assert len(person.http.get(f"{AUTH}account/providers").json()["data"]) == 1
    with people.client() as phone:
        body = {"email": person.email, "password": PASSWORD}
        first = phone.post(f"{AUTH}auth/login", json=body)
        assert first.status_code == 202, first.text
        phone.headers["X-Session-Token"] = first.json()["meta"]["session_token"]
        second = phone.post(f"{AUTH}auth/2fa/authenticate", json={"code": code(secret)})
        assert second.status_code == 200, second.text
    begun = person.http.post("/v1/me/erasure", json={"scope": "account"})
    assert begun.status_code == 202, begun.text
    address, until = f"/v1/erasures/{begun.json()['id']}", time.monotonic() + 60
    with people.client() as anybody:
        while anybody.get(address).json()["stage"] != "proved":
            assert time.monotonic() < until
            time.sleep(0.2)
    for table in ("mfa_authenticator", "socialaccount_socialaccount"):
        left = people.query(f"SELECT count(*) FROM {table} WHERE user_id = %s", person.id)
        assert left == [(0,)]
