"""Staff reach no byte of a picture, by the admin or with their own session: figure A-04."""

import re
from typing import Final

from tests.api.people import People, Person
from tests.api.test_admin import LISTS
from tests.figures import figure
from tests.staff.entering import enter

PICTURES: Final = (b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"ftypavif")
OBJECTS: Final = re.compile(r'href="(/admin/[a-z]+/[a-z]+/[0-9a-f-]{36}/change/)"')


def shown(content: bytes) -> bool:
    return any(mark in content[:64] for mark in PICTURES)


def test_no_address_shows_staff_a_byte_of_a_picture(people: People) -> None:
    guest, staff = people.make(), people.make(signed=False, staff=True)
    job = guest.ended(guest.submit(guest.set_with_photo(keep_hours=1)).json()["id"])
    portrait, made = job["items"][0]["portrait"], guest.http.get("/v1/reference-sets").json()
    assert shown(guest.http.get(f"/v1/portraits/{portrait}/image").content), "the control"
    browser = enter(people, staff)
    assert browser.get("/admin/").status_code == 200
    pages = [f"/admin/{name}/" for name in LISTS]
    objects = [
        f"/admin/portraits/job/{job['id']}/change/",
        f"/admin/accounts/user/{guest.id}/change/",
    ]
    for path in pages:
        objects += list(dict.fromkeys(OBJECTS.findall(browser.get(path).text)))
    pages += dict.fromkeys(objects)
    theirs = [
        f"/v1/portraits/{portrait}/image",
        f"/v1/portraits/{portrait}/image?size=thumb",
        f"/v1/portraits/{portrait}/prompt",
        f"/v1/jobs/{job['id']}/archive",
        f"/v1/reference-sets/{made[0]['id']}",
    ]
    found = [path for path in theirs if pictured(staff, path)]
    # The cookie of the admin is no session of the API, and a page links to no picture of a person.
    found += [path for path in theirs if browser.get(path).status_code != 401]
    for path in pages:
        page = browser.get(path)
        assert page.status_code == 200, path
        if shown(page.content) or f"{portrait}/image" in page.text or "data:image" in page.text:
            found.append(path)
    figure(
        "A-04",
        value=len(found),
        n=len(pages) + 2 * len(theirs),
        holds=not found,
        conditions="every list and object page of the admin, and a person's addresses by a"
        " superuser's admin cookie and by their own app session; no role's key lets them in",
    )
    assert found == []


def pictured(staff: Person, path: str) -> bool:
    answer = staff.http.get(path)
    return answer.status_code != 404 or shown(answer.content)
