"""From an account to what there is of it: links for whoever may follow them, and no address."""

import html
import re
from typing import Any

import pytest

from accounts.models import User
from deploy.staff.roles import Role
from tests.portraits import ordering
from tests.portraits.making import consenting
from tests.privacy.desking import Kind, asked
from tests.staff.members import client, member

LINKS = {
    "Jobs of this account": {Role.SUPPORT, Role.PRIVACY},
    "Requests of this account": {Role.SUPPORT, Role.PRIVACY},
    "Consents of this account": {Role.PRIVACY},
    "Audit trail of this account": {Role.PRIVACY},
}


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")


@pytest.mark.parametrize("seer", [Role.SUPPORT, Role.PRIVACY])
def test_an_account_leads_to_what_the_role_may_see_of_it(seer: Role) -> None:
    who = consenting()
    job, case = ordering.order(who, ordering.words_only()), asked(Kind.ACCESS, who)
    http = client(member(seer))
    page = http.get(f"/admin/accounts/user/{who}/change/").content.decode()
    assert User.objects.get(pk=who).email not in page
    found = {
        name: html.unescape(href)
        for href, name in re.findall(r'(?s)<a href="([^"]+\?q=[^"]+)".*?>\s*([^<>]+?)\s*</a>', page)
    }
    assert found.keys() == {name for name, roles in LINKS.items() if seer in roles}
    pages = {name: http.get(href).content.decode() for name, href in found.items()}
    assert str(job.pk) in pages["Jobs of this account"]
    assert f"/{case.pk}/change/" in pages["Requests of this account"]


@pytest.mark.parametrize("found_by", ["email", "id"])
def test_an_account_is_found_by_the_whole_of_either_and_by_no_part(found_by: str) -> None:
    who = consenting()
    user, http = User.objects.get(pk=who), client(member(Role.SUPPORT))
    whole = str(getattr(user, found_by))
    for said, there in ((whole, True), (whole[:-1], False), (whole[1:], False)):
        found = http.post("/admin/accounts/user/", {"q": said}, follow=True)
        assert (f"/{who}/change/" in found.content.decode()) is there, said
        if "@" in said:
            assert ("No account has this address." in found.content.decode()) is not there
            # Only an id is in an address that browsers and logs keep.
            ((led_to, _),) = found.redirect_chain
            assert led_to.endswith(f"?q={who if there else 'nobody'}")


def test_an_address_that_is_opened_finds_nobody() -> None:
    who = consenting()
    http = client(member(Role.SUPPORT))
    page = http.get("/admin/accounts/user/", {"q": User.objects.get(pk=who).email})
    assert f"/{who}/change/" not in page.content.decode()


def test_what_is_found_by_no_address_says_so_and_asks_nobody() -> None:
    who = consenting()
    http = client(member(Role.CONTENT))
    given = {"q": User.objects.get(pk=who).email, "status__exact": "x"}
    found = http.post("/admin/portraits/style/", given)
    assert found["Location"] == "/admin/portraits/style/?q=nobody&status__exact=x"
    assert http.post("/admin/accounts/user/", given).status_code == 403
