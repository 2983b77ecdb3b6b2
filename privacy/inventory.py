"""Every table and field in the installation: what it holds, why, how long, how it ends. Pure data.

A model or a field that is missing here, of ours or of a third party, keeps the process from
starting. Erasure deletes by this list, in this order, and the proof looks every entry up again;
the export, the records of processing and the public facts are written from it. The entries
themselves stand in privacy/tables/, a module a room.
"""

from collections.abc import Iterator
from typing import Final

from privacy.tables import accounts, places, product, promises
from privacy.tables.shapes import (
    COPIED,
    PERSONAL,
    Class,
    Column,
    End,
    Lasting,
    Retention,
    Store,
    Table,
    rule,
    said,
)

__all__ = [
    "COPIED",
    "PERSONAL",
    "STORES",
    "TABLES",
    "Class",
    "Column",
    "End",
    "Lasting",
    "Retention",
    "Store",
    "Table",
    "personal",
    "rule",
    "said",
]

# Children stand before what they point at, so that deleting in this order never trips.
TABLES: Final[tuple[Table, ...]] = product.TABLES + promises.TABLES + accounts.TABLES
STORES: Final[tuple[Store, ...]] = places.STORES


def personal() -> Iterator[tuple[Table, Column]]:
    """Every field that says something about a person."""
    for table in TABLES:
        for column in table.columns.values():
            if column.sort in PERSONAL:
                yield table, column
