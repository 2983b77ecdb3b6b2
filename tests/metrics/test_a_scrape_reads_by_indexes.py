"""However much the tables hold, a scrape reads what is open or recent: each by its own index."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.metrics import scrape

# What grows with people, and the indexes by which a scrape may read of it. Jobs and styles are
# looked up by their keys, for the items that were found.
BOUNDED = {
    "portraits_item": {"item_ended"},
    "portraits_job": {"portraits_job_pkey"},
    "portraits_photo": {"portraits_photo_pkey"},
    "portraits_event": {"event_undelivered"},
    "privacy_blob": {"blob_due", "blob_shredded"},
    "privacy_erasure": {"erasure_open"},
    "privacy_faceclaim": {"claim_open"},
    "privacy_case": {"case_open"},
    "privacy_transparencyreport": {"privacy_transparencyreport_pkey"},
}
# As large as what is open, or as what staff and keys are.
SMALL = {
    *("privacy_lease", "portraits_painter", "portraits_style", "privacy_period"),
    *("privacy_rootepoch", "privacy_fleetkey", "privacy_evidencekey", "privacy_pulse"),
    *("privacy_ownerkey", "portraits_halt"),
}


def plans() -> list[tuple[str, str]]:
    """(statement, plan) of everything that a scrape asks, where reading whole tables is dear."""
    with CaptureQueriesContext(connection) as asked:
        scrape.here()
    statements = [query["sql"] for query in asked if " FROM " in query["sql"]]
    with connection.cursor() as cursor:
        # Of a few dozen rows, one could as well be read by any index.
        cursor.execute("SET enable_seqscan = off; SET enable_mergejoin = off")
        try:
            found = []
            for statement in statements:
                cursor.execute("EXPLAIN " + statement)
                found.append((statement, "\n".join(line for (line,) in cursor.fetchall())))
        finally:
            cursor.execute("RESET enable_seqscan; RESET enable_mergejoin")
    return found


@pytest.mark.usefixtures("something_of_everything")
def test_no_large_table_is_read_whole() -> None:
    seen: set[str] = set()
    for statement, plan in plans():
        tables = set(re.findall(r"\b((?:portraits|privacy|accounts)_[a-z]+)\b", plan))
        tables = {name for name in tables if name in BOUNDED or name in SMALL} | set(
            re.findall(r'(?:FROM|JOIN) "?((?:portraits|privacy|accounts)_[a-z]+)', statement)
        )
        for table in tables - SMALL:
            used = indexes(plan, table)
            assert used, f"{table} is read whole by: {statement[:200]}\n{plan}"
            assert used <= BOUNDED[table], f"{used} of {table} by: {statement[:200]}\n{plan}"
            seen.add(table)
    assert seen == set(BOUNDED)


def indexes(plan: str, table: str) -> set[str]:
    """By which indexes of a table this plan reads."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT indexname FROM pg_indexes WHERE tablename = %s", [table])
        known: set[Any] = {name for (name,) in cursor.fetchall()}
    return {name for name in known if re.search(rf"(?:using|Scan on) {name}\b", plan)}
