"""How a member of staff comes in from outside, by HTTP: password, authenticator app, admin.

Nothing here may use Django's database, because the browser's tests come in the same way.
"""

import base64
import hmac
import html
import re
import struct
import time

import httpx

from tests.api.people import PASSWORD, People, Person

LOGIN, ENROL = "/admin/login/", "/admin/enrol/"
# Of a code; what is typed in its last seconds may arrive too late.
PERIOD, MARGIN = 30, 4


def code(secret: str) -> str:
    """What an authenticator app shows (RFC 6238)."""
    left = PERIOD - time.time() % PERIOD
    if left < MARGIN:
        time.sleep(left)
    counter = struct.pack(">Q", int(time.time()) // PERIOD)
    digest = hmac.digest(base64.b32decode(secret.replace(" ", "")), counter, "sha1")
    at = digest[-1] & 0x0F
    (number,) = struct.unpack(">I", digest[at : at + 4])
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06d}"


def hidden(page: httpx.Response, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found, page.text[:500]
    return html.unescape(found[1])


def post(browser: httpx.Client, path: str, page: httpx.Response, **fields: str) -> httpx.Response:
    """Send the form of a page that was just read."""
    fields["csrfmiddlewaretoken"] = hidden(page, "csrfmiddlewaretoken")
    return browser.post(path, data=fields, headers={"Referer": str(browser.base_url)})


def give_password(browser: httpx.Client, person: Person) -> httpx.Response:
    """The first step."""
    page = browser.get(LOGIN)
    return post(browser, LOGIN, page, email=person.email, password=PASSWORD)


def secret_of(page: httpx.Response) -> str:
    """What the page of the second factor shows."""
    found = re.search(r'id="secret">([A-Z2-7 ]+)<', page.text)
    assert found, page.text[:500]
    return found[1]


def enter(people: People, person: Person) -> httpx.Client:
    """The first time: the second factor is set up, and the admin is open."""
    browser = people.client()
    led = give_password(browser, person)
    assert led.status_code == 302, led.text
    assert led.headers["Location"].startswith(ENROL)
    page = browser.get(ENROL)
    done = post(browser, ENROL, page, code=code(secret_of(page)))
    assert done.status_code == 200, done.text
    assert 'id="codes"' in done.text
    return browser
