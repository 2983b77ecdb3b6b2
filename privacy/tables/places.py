"""What is no table of a model and may hold something all the same: buckets, keys, the broker."""

from typing import Final

from privacy.retention import Term
from privacy.tables.shapes import Class, Lasting, Store

STORES: Final[tuple[Store, ...]] = (
    Store(
        *("bucket", "sealed bodies under random names", "reading them back", Lasting.DEADLINE),
        "deleted by name at the deadline, and all of a person's at erasure, versions included",
        (Class.SEALED, Class.PSEUDONYM),
    ),
    Store(
        "erasure ledger",
        "that random ids were erased, withdrawn or shortened, in a bucket of its own",
        "repeating it after a restored backup",
        Term.RESTORE,
        "deleted when no backup can be older",
        (Class.PSEUDONYM, Class.TIME),
    ),
    Store(
        *("portrait roots", "what owner keys are wrapped with", "opening portraits"),
        *(Term.ROOT_EPOCH, "destroyed by the keeper after its turn and its wait"),
        (Class.SECRET,),
    ),
    Store(
        *("fleet seeds", "what uploads and references open with", "checking and painting"),
        *(Term.FLEET_SEED, "destroyed by the intake"),
        (Class.SECRET,),
    ),
    Store(
        *("evidence keys", "what typed names open with", "a dispute; a person's own copy"),
        *(Term.EVIDENCE, "destroyed by the keeper when the last evidence is past its term"),
        (Class.SECRET,),
    ),
    Store(
        *("grant keys", "what Apple's tokens open with", "having them revoked"),
        *(Term.RECEIPT, "destroyed by the courier after their year, with the last token"),
        (Class.SECRET,),
    ),
    Store(
        *("receipt keys", "what receipts are signed with", "receipts that anybody can check"),
        *(Lasting.CATALOGUE, "a new one every year; it opens nothing"),
        (Class.NOBODY,),
    ),
    Store(
        *("Valkey: queues", "ids of work that waits", "nudging the workers", Lasting.WORK),
        "a message goes when it is read",
        (Class.PSEUDONYM,),
    ),
    Store(
        "Valkey: limiter",
        "addresses of callers who sign up or in; keyed hashes of those who report a face",
        "stopping floods and the guessing of passwords",
        Lasting.WINDOW,
        "expires with its window",
        (Class.CONTACT,),
    ),
    Store(
        *("local mailbox", "mail that was not sent on", "reminders where no mail server is"),
        *(Term.MAIL, "deleted by upkeep"),
        (Class.CONTACT,),
    ),
    Store(
        *("logs", "ids, codes and times, by an allow-list of keys", "operating", Lasting.OPERATOR),
        "rotated by the operator",
        (Class.PSEUDONYM, Class.STATE, Class.TIME),
    ),
    Store(
        "traces and error reports",
        "what log lines hold, and nothing else; off unless the operator switches them on",
        "operating",
        Lasting.OPERATOR,
        "ended by whoever keeps them for the operator",
        (Class.PSEUDONYM, Class.STATE, Class.TIME),
    ),
    Store(
        "backups and write-ahead log of PostgreSQL",
        "what the tables hold; pictures open with a root that is not in it",
        "recovery",
        Lasting.OPERATOR,
        "its operator's horizon; pictures in it turn to noise when their root is destroyed",
        (Class.CONTACT, Class.DECLARED, Class.PSEUDONYM, Class.STATE, Class.TIME),
    ),
    Store(
        *("memory of web and workers", "what is being opened, checked or painted", "the work"),
        *(Lasting.MEMORY, "overwritten or freed when the request or the photo is done"),
        (Class.SEALED, Class.MEASURED),
    ),
    Store(
        *("django_migrations", "which migrations ran", "Django", Lasting.CATALOGUE, "never"),
        (Class.NOBODY,),
    ),
)
