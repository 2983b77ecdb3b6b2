"""Looking changes nothing: whatever GET, HEAD and OPTIONS reach, everything is as it was."""

from typing import Any, Final

from tests.api.people import People, Person

# Opens once, by its purpose; a GET that streams for as long as the job lives.
APART: Final = ("/v1/me/export/{id}/archive", "/v1/shared/{token}", "/v1/jobs/{id}/events")


def held(person: Person) -> Any:
    rows = person.holdings()
    # Reading is noted, and so is that a consent text was shown: see privacy/audit.py.
    tables = (
        {
            name: table
            for name, table in rows["tables"].items()
            if "audit" not in name and "shown" not in name and "link" not in name
        }
        if isinstance(rows["tables"], dict)
        else None
    )
    jobs = person.http.get("/v1/jobs").json()["results"]
    return rows["sealed"], tables, jobs


def test_looking_at_everything_changes_nothing(people: People) -> None:
    person = people.make()
    made = person.set_with_photo(keep_hours=24)
    job = person.ended(person.submit(made).json()["id"])
    values = {
        "/v1/reference-sets/": {"id": made},
        "/v1/jobs/": {"id": job["id"]},
        "/v1/portraits/": {"id": job["items"][0]["portrait"]},
    }
    paths = person.http.get("/v1/schema?format=json").json()["paths"]
    before, tried = held(person), 0
    for path, operations in paths.items():
        if "get" not in operations or path in APART:
            continue
        known = [ids for beginning, ids in values.items() if path.startswith(beginning)]
        if "{" in path and not known:
            continue
        for method in ("GET", "HEAD", "OPTIONS"):
            address = path.format(**known[0]) if known else path
            answer = person.http.request(method, address)
            assert answer.status_code < 500, f"{method} {path}"
            tried += 1
    assert tried > 60
    assert held(person) == before
