"""The square of the second factor says the key's own address, in its page and nowhere else."""

import html
import re
from typing import Any

import pytest
import segno
from django.core.cache import cache

from deploy.staff import qr
from deploy.staff.roles import Role
from tests.staff.members import PASSWORD, browser, member, shown

STEP = re.compile(r"([Mmh]) ?(-?[\d.]+)(?:[ ,]?(-?[\d.]+))?")


@pytest.fixture(autouse=True)
def _as_web(born: Any) -> None:
    born("web")
    cache.clear()


def modules(svg: str) -> list[list[int]]:
    """Which modules of a drawing are dark, row by row, its white border taken off."""
    width = re.search(r'width="(\d+)"', svg)
    path = re.search(r'stroke="#000"[^>]* d="([^"]+)"', svg)
    assert width, svg
    assert path, svg
    whole = int(width[1]) // qr.SCALE
    dark = [[0] * whole for _ in range(whole)]
    x = y = 0.0
    for verb, first, second in STEP.findall(path[1]):
        if verb == "M":
            x, y = float(first), float(second)
        elif verb == "m":
            x, y = x + float(first), y + float(second)
        else:
            for column in range(int(x), int(x + float(first))):
                dark[int(y)][column] = 1
            x += float(first)
    edge = qr.QUIET
    assert not any(map(any, [*dark[:edge], *dark[-edge:]]))
    return [row[edge:-edge] for row in dark[edge:-edge]]


def first_page() -> Any:
    """What somebody sees who signs in for the first time."""
    http = browser()
    email = member(Role.SUPPORT).email
    led = http.post("/admin/login/", {"email": email, "password": PASSWORD, "next": ""})
    return http.get(led["Location"])


def drawn(page: str) -> str:
    found = re.search(r'(?s)<div id="square" role="img" aria-label="[^"]+">(<svg.*?</svg>)', page)
    assert found, page
    return found[1]


def test_it_is_the_address_that_the_link_beneath_it_has() -> None:
    page = first_page().content.decode()
    link = re.search(r'href="(otpauth:[^"]+)"', page)
    assert link, page
    said = html.unescape(link[1])
    assert shown(page, "secret").replace(" ", "") in said
    wanted = segno.make_qr(said, error=qr.CORRECTION)
    assert modules(drawn(page)) == [list(row) for row in wanted.matrix]
    assert modules(drawn(page)) != modules(qr.square(said.replace("otpauth", "OTPAUTH")))


def test_it_is_white_around_on_a_dark_page_too() -> None:
    svg = qr.square("otpauth://totp/x")
    size = segno.make_qr("otpauth://totp/x", error=qr.CORRECTION).symbol_size(border=qr.QUIET)[0]
    assert qr.QUIET >= 4
    assert re.search(rf'<path[^>]* fill="#fff" d="M0 0h{size}v{size}h-{size}z"/>', svg), svg


def test_it_lies_in_its_page_and_no_cache_keeps_that() -> None:
    answer = first_page()
    page = answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    assert "data:" not in page
    outside = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert [one for one in outside if not one.startswith(("/static/", "otpauth:", "#"))] == []


def test_no_word_of_what_it_says_can_be_markup() -> None:
    assert "script" not in qr.square('otpauth://totp/"><script>alert(1)</script>')
