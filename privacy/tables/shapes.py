"""What an entry of the inventory says: classes of data, how long, how it ends. Pure."""

from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property

from privacy.retention import DEADLINES, TERMS, Kind, Rule, Term
from privacy.wording import lengths


class Class(Enum):
    """What sort of data a field is. The DPIA page lists every one of them."""

    CONTACT = "how a person is reached: an e-mail address, a network address"
    DECLARED = "what the person chose or said: region, 18 or older, consents, styles, their app"
    MEASURED = "what was measured in a photo: where the face is and how sharp it is, never whose"
    SEALED = "opens only with a key that one role holds: pictures, words, signatures, reports"
    SECRET = "opens something or proves who somebody is: hashes, tokens, wrapped keys"  # noqa: S105
    PSEUDONYM = "random ids and digests that only our own tables link to a person"
    STATE = "how far something is, and counts"
    TIME = "when something was, or will be"
    NOBODY = "about nobody: catalogues, public keys, counters"


# What the person is given a copy of. A secret would open their account in other hands.
PERSONAL = frozenset(Class) - {Class.NOBODY}
COPIED = PERSONAL - {Class.SECRET}


class End(Enum):
    """How a row goes when its person goes."""

    WITH_ACCOUNT = "deleted with the account"
    BY_ERASURE = "ended by the erasure's own stages"
    OUTLIVES = "kept under a random id for its term, as evidence"
    BY_TERM = "deleted when its term is over; it belongs to no account"
    NOBODY = "holds nothing about a person"


class Lasting(Enum):
    """What is kept for no fixed time, and what ends it instead."""

    ACCOUNT = "until the account is erased, at the latest"
    DEADLINE = "until its own deadline, which its kind gives it"
    WORK = "as long as the work is open, then deleted"
    WINDOW = "one window of the limiter, an hour at the most"
    MEMORY = "seconds: one request or one photo, in memory only"
    CATALOGUE = "as long as the product needs it; it names nobody"
    OPERATOR = "as long as its operator keeps it"


Retention = Kind | Term | Lasting


def rule(kept: Retention) -> Rule | None:
    """The line of retention.py that decides, or None where no fixed time does."""
    if isinstance(kept, Kind):
        return DEADLINES[kept]
    if kept is Lasting.ACCOUNT:
        return TERMS[Term.ACCOUNT]
    return TERMS[kept] if isinstance(kept, Term) else None


def said(kept: Retention) -> str:
    """How long, in words, computed from retention.py."""
    found = rule(kept)
    if found is None:
        return str(kept.value)
    words = lengths(found.default, found.cap)
    return f"{kept.value} {words} after its last use" if kept is Lasting.ACCOUNT else words


@dataclass(frozen=True)
class Column:
    """One field: its class, its purpose, its retention and its end."""

    name: str
    sort: Class
    why: str
    kept: Retention
    end: End


@dataclass(frozen=True)
class Table:
    """One model.

    `owner` is the lookup of a person's rows that go with them, `subject` of those that stay for
    their term. `fields` names every column by its class. Purpose, retention and end are the
    table's, unless `purposes` or `sooner` say otherwise for a column. `opened` is the folder of an
    export in which the rows lie opened, because the web cannot read them.
    """

    model: str
    holds: str
    why: str
    kept: Retention
    end: End
    owner: str | None
    fields: dict[Class, str]
    sooner: dict[str, Retention] = field(default_factory=dict)
    purposes: dict[str, str] = field(default_factory=dict)
    subject: str | None = None
    opened: str | None = None

    @property
    def lookup(self) -> str | None:
        """How the person's rows are found, whether they go or stay."""
        return self.owner or self.subject

    @property
    def keep(self) -> str:
        """How long, in words."""
        return said(self.kept)

    @cached_property
    def columns(self) -> dict[str, Column]:
        """Every field by its name."""
        return {
            name: Column(
                name,
                sort,
                self.purposes.get(name, self.why),
                self.sooner.get(name, self.kept),
                self.end,
            )
            for sort, names in self.fields.items()
            for name in names.split()
        }


@dataclass(frozen=True)
class Store:
    """A place that is no table of a model and may hold something all the same."""

    name: str
    holds: str
    why: str
    kept: Retention
    end: str
    classes: tuple[Class, ...]

    @property
    def keep(self) -> str:
        """How long, in words."""
        return said(self.kept)
