"""The admin shows metadata to staff: no picture of a person, no address of one in a list."""

import re

import httpx
import pytest

from tests.api.people import People, Person
from tests.staff.entering import enter, give_password

LISTS = (
    "portraits/job",
    "portraits/style",
    "privacy/consent",
    "privacy/consentdocument",
    "privacy/erasure",
    "privacy/auditevent",
    "accounts/user",
)


@pytest.fixture(scope="module")
def guest(people: People) -> Person:
    """Somebody with a finished job, for the lists to show."""
    person = people.make()
    person.ended(person.submit(person.set_with_photo()).json()["id"])
    return person


@pytest.fixture(scope="module")
def browser(people: People, guest: Person) -> httpx.Client:
    return enter(people, people.make(signed=False, staff=True))


def test_who_is_not_signed_in_is_sent_to_the_login(people: People) -> None:
    with people.client() as nobody:
        for path in ("/admin/", *(f"/admin/{name}/" for name in LISTS)):
            answer = nobody.get(path)
            assert answer.status_code == 302
            assert answer.headers["Location"].startswith("/admin/login/")


def test_a_person_who_is_no_staff_is_not_let_in(people: People) -> None:
    with people.client() as browser:
        assert give_password(browser, people.make(signed=False)).status_code == 403
        assert browser.get("/admin/").status_code == 302


def test_a_session_token_of_the_app_opens_no_admin(people: People) -> None:
    person = people.make(signed=False, staff=True)
    assert person.http.get("/admin/").status_code == 302


@pytest.mark.parametrize("name", LISTS)
def test_staff_see_lists_without_faces_and_addresses(
    browser: httpx.Client, guest: Person, name: str
) -> None:
    page = browser.get(f"/admin/{name}/")
    assert page.status_code == 200
    body = re.sub(r"(?s)<script.*?</script>|<nav.*?</nav>", "", page.text)
    assert guest.email not in page.text
    assert "Grace Hopper" not in page.text
    assert "/v1/portraits" not in page.text
    for source in re.findall(r"<img[^>]+src=\"([^\"]+)\"", body):
        assert source.startswith("/static/"), source


def test_staff_see_a_job_and_how_far_its_items_are(browser: httpx.Client, guest: Person) -> None:
    job = guest.http.get("/v1/jobs").json()["results"][0]["id"]
    page = browser.get(f"/admin/portraits/job/{job}/change/")
    assert page.status_code == 200
    assert str(guest.id) in page.text
    assert "passthrough" in page.text
    assert "<img" not in re.sub(r'<img[^>]+src="/static/[^>]*>', "", page.text)


@pytest.mark.parametrize("name", [name for name in LISTS if name != "portraits/style"])
def test_nobody_adds_or_changes_by_hand(browser: httpx.Client, name: str) -> None:
    assert browser.get(f"/admin/{name}/add/").status_code == 403


def test_staff_find_a_person_by_the_exact_address_only(
    browser: httpx.Client, guest: Person
) -> None:
    page = browser.get("/admin/accounts/user/").text
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert token
    for said, there in ((guest.email, True), (guest.email[:12], False), (str(guest.id), True)):
        sent = {"q": said, "csrfmiddlewaretoken": token[1]}
        found = browser.post("/admin/accounts/user/", data=sent, follow_redirects=True)
        assert (f"/{guest.id}/change/" in found.text) is there, said
        assert "@" not in str(found.url)


def test_the_page_of_a_person_shows_no_address(browser: httpx.Client, guest: Person) -> None:
    page = browser.get(f"/admin/accounts/user/{guest.id}/change/")
    assert page.status_code == 200
    assert guest.email not in page.text


def test_erasing_is_no_delete_button(browser: httpx.Client, guest: Person) -> None:
    assert browser.get(f"/admin/accounts/user/{guest.id}/delete/").status_code == 403
