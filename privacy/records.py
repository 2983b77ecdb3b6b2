"""The records of processing (GDPR Art. 30) and the erasure plan, written from the inventory.

`manage.py processing_records` prints them; deploy/docs/records.md is what it prints without
arguments, and a test compares the two.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.conf import settings

from privacy import policy
from privacy.inventory import PERSONAL, STORES, TABLES, Class, Table, said

CONTROLLER: Final = "[name and address of the controller]"
CONTACT: Final = "[how to reach the controller or its data protection officer]"
# What Art. 30(1)(g) and 32(1) ask for, each with where it is shown.
MEASURES: Final = (
    ("Every picture is sealed to a key per person or per day (HPKE, X-Wing).", "privacy/FORMAT.md"),
    ("Each role holds the keys and database rights of its task only.", "deploy/grants.py"),
    ("Deadlines from the first moment; sweeps whose backlog must be 0.", "privacy/retention.py"),
    ("Erasure destroys the key first and ends in a signed receipt.", "privacy/erasure.py"),
    ("Ledgers are append-only, chained and signed.", "manage.py verify_ledger"),
    ("Portrait roots take turns and are destroyed after a wait.", "manage.py rotate_root"),
    ("All of it is checked daily, and on every change.", "make prove"),
)


def records(controller: str = CONTROLLER, contact: str = CONTACT) -> dict[str, Any]:
    """Art. 30(1), (a) to (g), as data."""
    return {
        "controller": controller,
        "contact": contact,
        "subjects": [
            "people who have an account",
            "people who report that their face was used (privacy.FaceClaim)",
            "members of staff (admin.LogEntry)",
        ],
        "activities": list(_activities()),
        "recipients": settings.PROCESSORS,
        "transfers": "none but to the recipients above, in their regions",
        "classes": {kind.name: kind.value for kind in Class},
        "erasure_plan": [_plan(table) for table in TABLES if _is_personal(table)],
        "stores": [
            {
                "name": store.name,
                "holds": store.holds,
                "why": store.why,
                "how_long": store.keep,
                "end": store.end,
            }
            for store in STORES
        ],
        "measures": [{"measure": what, "shown_by": where} for what, where in MEASURES],
        "can_open": policy.who_opens(),
    }


def _is_personal(table: Table) -> bool:
    return any(column.sort in PERSONAL for column in table.columns.values())


def _activities() -> Iterable[dict[str, Any]]:
    """What is done for one purpose: which classes, in which tables, for how long."""
    found: dict[str, list[tuple[str, Class, str]]] = defaultdict(list)
    for table in TABLES:
        for column in table.columns.values():
            if column.sort in PERSONAL:
                found[column.why].append((table.model, column.sort, said(column.kept)))
    for why, rows in sorted(found.items()):
        yield {
            "purpose": why,
            "categories": sorted({sort.name for _, sort, _ in rows}),
            "tables": sorted({model for model, _, _ in rows}),
            "how_long": sorted({kept for _, _, kept in rows}),
        }


def _plan(table: Table) -> dict[str, Any]:
    return {
        "table": table.model,
        "holds": table.holds,
        "how_long": table.keep,
        "end": table.end.value,
        "found_by": table.lookup or ("sealed, by the keeper" if table.opened else "its own id"),
        "fields": {
            kind.name: [name for name, column in table.columns.items() if column.sort is kind]
            for kind in Class
            if any(column.sort is kind for column in table.columns.values())
        },
    }


def markdown(found: dict[str, Any]) -> str:
    """The same as a page."""
    lines = [
        "# Records of processing",
        "",
        "GDPR Art. 30. Written by `manage.py processing_records` from `privacy/inventory.py` and",
        "`privacy/retention.py`; a test compares them. Give `--controller` and `--contact`, and",
        "name your processors by `SITTER_PROCESSORS`.",
        "",
        f"- **Controller:** {found['controller']}",
        f"- **Contact:** {found['contact']}",
        f"- **Data subjects:** {'; '.join(found['subjects'])}",
        f"- **Transfers:** {found['transfers']}",
        "",
    ]
    for heading, head, rows in _sections(found):
        lines += [f"## {heading}", *_table(head, rows)]
    return "\n".join(lines).rstrip() + "\n"


def _sections(found: dict[str, Any]) -> Iterator[tuple[str, tuple[str, ...], Iterable[Any]]]:
    """(heading, columns, rows) of each table of the page."""
    plan = found["erasure_plan"]
    yield (
        "Purposes",
        ("purpose", "categories of data", "tables", "how long"),
        (
            (
                row["purpose"],
                ", ".join(row["categories"]),
                ", ".join(row["tables"]),
                "; ".join(row["how_long"]),
            )
            for row in found["activities"]
        ),
    )
    yield "Categories of data", ("class", "what it is"), found["classes"].items()
    said_of = ("name", "does", "region")
    outside = [tuple(one.get(key, "") for key in said_of) for one in found["recipients"]]
    yield "Recipients", ("recipient", "what it does", "region"), outside or [("nobody", "", "")]
    inside = ((role, ", ".join(kinds) or "nothing") for role, kinds in found["can_open"].items())
    yield "Who inside can open what", ("role", "can open"), inside
    yield (
        "Erasure plan: every table about a person, and how it ends",
        ("table", "holds", "how long", "end", "found by"),
        (
            (f"`{row['table']}`", row["holds"], row["how_long"], row["end"], f"`{row['found_by']}`")
            for row in plan
        ),
    )
    fields = (
        (f"`{row['table']}`", "; ".join(f"{k}: {', '.join(v)}" for k, v in row["fields"].items()))
        for row in plan
    )
    yield "Fields by class", ("table", "fields"), fields
    places = ((s["name"], s["holds"], s["how_long"], s["end"]) for s in found["stores"])
    yield "Places that are no tables", ("place", "holds", "how long", "end"), places
    measures = ((row["measure"], f"`{row['shown_by']}`") for row in found["measures"])
    yield "Security measures", ("measure", "shown by"), measures


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    names = list(head)
    body = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}", *body, ""]
