"""Who agrees, who seals and who tells are three logins of PostgreSQL, and none can do another's."""

import uuid

import psycopg
import pytest
from psycopg import errors

from deploy.env import Role
from deploy.stack.supervisor import Stack
from tests.rules.conftest import May, Sealed, login
from tests.rules.test_the_compartments_hold import LOGINS

MATERIAL = "SELECT item_sort FROM privacy_legal_material(%s)"


@pytest.fixture
def order(live: Stack, sealed: Sealed) -> uuid.UUID:
    """Filed by one officer, about somebody with a portrait."""
    made = uuid.uuid4()
    with login(live, Role.MIGRATOR) as connection:
        connection.execute(
            "INSERT INTO privacy_legalorder (id, subject_id, state, reason, recipient_sha256,"
            " first_id, telling, filed_at) VALUES (%s, %s, 'filed', 'court', '', %s, 'due', now())",
            [made, sealed.person.id, uuid.uuid4()],
        )
    return made


def read(live: Stack, role: Role, order: uuid.UUID) -> list[str] | None:
    """What PostgreSQL gives this login of an order; None where it refuses."""
    with login(live, role) as connection:
        try:
            return [str(row[0]) for row in connection.execute(MATERIAL, [order]).fetchall()]
        except errors.InsufficientPrivilege:
            return None


def test_the_keeper_reads_it_once_two_agree_and_nobody_else_ever(
    live: Stack, order: uuid.UUID
) -> None:
    assert {role: read(live, role, order) for role in LOGINS} == dict.fromkeys(LOGINS)
    with login(live, Role.WEB) as connection:
        connection.execute(
            "UPDATE privacy_legalorder SET state = 'approved', second_id = %s, approved_at = now()"
            " WHERE id = %s",
            [uuid.uuid4(), order],
        )
    found = {role: read(live, role, order) for role in LOGINS}
    given = found.pop(Role.KEEPER)
    assert given is not None
    assert given[0] == "account"
    assert set(given[1:]) == {"blob"}
    assert found == dict.fromkeys(found)
    with login(live, Role.KEEPER) as connection:
        connection.execute(
            "UPDATE privacy_legalorder SET state = 'sealed', sealed_at = now(),"
            " package_sha256 = '' WHERE id = %s",
            [order],
        )
    assert read(live, Role.KEEPER, order) is None


def test_one_person_twice_is_refused_even_to_the_migrator(live: Stack, order: uuid.UUID) -> None:
    with login(live, Role.MIGRATOR) as connection, pytest.raises(errors.CheckViolation):
        connection.execute(
            "UPDATE privacy_legalorder SET state = 'approved', second_id = first_id,"
            " approved_at = now() WHERE id = %s",
            [order],
        )


@pytest.mark.parametrize(
    ("statement", "allowed"),
    [
        ("INSERT INTO privacy_legalorder SELECT * FROM privacy_legalorder LIMIT 0", {Role.WEB}),
        ("UPDATE privacy_legalorder SET second_id = NULL WHERE false", {Role.WEB}),
        ("UPDATE privacy_legalorder SET first_id = NULL WHERE false", set()),
        ("UPDATE privacy_legalorder SET recipient_sha256 = '' WHERE false", set()),
        ("UPDATE privacy_legalorder SET sealed_at = now() WHERE false", {Role.KEEPER}),
        ("UPDATE privacy_legalorder SET known_to = NULL WHERE false", {Role.UPKEEP}),
        ("DELETE FROM privacy_legalorder WHERE false", {Role.UPKEEP}),
        ("SELECT count(*) FROM privacy_case", {Role.WEB, Role.UPKEEP}),
        ("UPDATE privacy_case SET outcome = '' WHERE false", {Role.WEB}),
        ("SELECT body FROM privacy_caseentry LIMIT 1", {Role.WEB, Role.UPKEEP}),
        ("UPDATE privacy_caseentry SET body = '' WHERE false", set()),
    ],
)
def test_a_login_does_only_its_part(may: May, statement: str, allowed: set[Role]) -> None:
    assert {role for role in LOGINS if may(role, statement)} == allowed


def test_the_function_is_nobodys_to_replace(live: Stack) -> None:
    for role in LOGINS:
        with login(live, role) as connection, pytest.raises(psycopg.Error):
            connection.execute("DROP FUNCTION privacy_legal_material(uuid)")
