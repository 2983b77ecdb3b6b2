"""The privacy page and the facts, as anybody gets them from the running web."""

from tests.api.people import People


def test_anybody_reads_the_page_and_its_style(people: People) -> None:
    with people.client() as nobody:
        page = nobody.get("/privacy", headers={"Accept-Language": "de"})
        assert page.status_code == 200, page.text
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["content-language"] == "de"
        assert page.headers["cache-control"] == "no-store"
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "set-cookie" not in page.headers
        style = nobody.get("/static/privacy/facts.css")
        assert style.status_code == 200
        assert style.headers["content-type"].startswith("text/css")


def test_the_page_and_the_facts_say_the_same(people: People) -> None:
    with people.client() as nobody:
        facts = nobody.get("/v1/privacy/facts").json()
        page = nobody.get("/privacy?lang=en").text
    assert len(facts["answers"]) > 8
    for answer in facts["answers"].values():
        assert answer["asks"] in page
    for row in facts["how_long"]:
        assert row["why"] in page
