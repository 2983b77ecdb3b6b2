"""The tables of portraits/: what was asked for and what was painted. No picture lies in a table."""

from typing import Final

from privacy.retention import Kind, Term
from privacy.tables.shapes import Class, End, Lasting, Table

# Children stand before what they point at, so that deleting in this order never trips.
TABLES: Final[tuple[Table, ...]] = (
    Table(
        *("portraits.Rendition", "sizes of a portrait, and its prompt", "delivering portraits"),
        *(Kind.RENDITION, End.WITH_ACCOUNT, "portrait__owner_id"),
        {Class.PSEUDONYM: "id portrait blob", Class.STATE: "name width height media_type"},
    ),
    Table(
        *("portraits.Portrait", "which style was painted when, no picture", "delivering portraits"),
        *(Kind.PORTRAIT, End.WITH_ACCOUNT, "owner_id"),
        {
            Class.PSEUDONYM: "id owner item blob sha256",
            Class.STATE: "weights_sha256 receipt",
            Class.TIME: "created_at",
        },
        purposes={
            "sha256": "saying in the receipt which file it speaks of",
            "weights_sha256": "saying in the receipt what painted it",
            "receipt": "proving how it was made and that the photos are gone",
        },
    ),
    Table(
        "portraits.Item",
        "style, seed and state of one portrait to paint",
        "running the job",
        *(Term.JOB, End.WITH_ACCOUNT, "job__owner_id"),
        {
            Class.PSEUDONYM: "id job reroll_of prompt made_from source",
            Class.DECLARED: "style",
            Class.STATE: "position seed task state phase percent code sequence charged retried"
            " reseeded format engine width height rich",
            Class.TIME: "started_at ended_at",
        },
    ),
    Table(
        *("portraits.Job", "what was asked for and when", "running the job"),
        *(Term.JOB, End.WITH_ACCOUNT, "owner_id"),
        {
            Class.PSEUDONYM: "id owner references consent_id key_sha256 body_sha256",
            Class.STATE: "state lane sequence",
            Class.TIME: "created_at start_by end_by ended_at",
        },
        sooner={"key_sha256": Term.IDEMPOTENCY_KEY},
        purposes={
            "key_sha256": "running a repeated request once",
            "body_sha256": "running a repeated request once",
            "consent_id": "naming the consent that it was asked for under",
        },
    ),
    Table(
        "portraits.Photo",
        "slot and verdict of a reference photo, and where in it the face is; no picture",
        "running the job",
        *(Kind.REFERENCE, End.WITH_ACCOUNT, "set__owner_id"),
        {
            Class.PSEUDONYM: "id set upload reference",
            Class.STATE: "slot state",
            Class.MEASURED: "code hint quality face",
            Class.TIME: "created_at",
        },
        purposes={
            "face": "framing the face in the portrait",
            "code": "saying why a photo was refused",
            "hint": "saying how a photo could be better",
            "quality": "choosing the best photos",
        },
    ),
    Table(
        "portraits.ReferenceSet",
        "which reference photos belong together",
        "running the job",
        *(Kind.REFERENCE, End.WITH_ACCOUNT, "owner_id"),
        {
            Class.PSEUDONYM: "id owner",
            Class.DECLARED: "keep",
            Class.STATE: "state",
            Class.TIME: "created_at expires_at",
        },
    ),
    Table(
        "portraits.Check",
        "that somebody asked whether a picture was made here, and the answer; no picture",
        "telling pictures that a machine made",
        *(Kind.CHECK, End.BY_TERM, None),
        {
            Class.PSEUDONYM: "id blob",
            Class.STATE: "state code made_here",
            Class.TIME: "created_at expires_at",
        },
    ),
    Table(
        *("portraits.Allowance", "how many portraits a day and a month", "fair shares"),
        *(Term.ALLOWANCE, End.WITH_ACCOUNT, "owner_id"),
        {
            Class.PSEUDONYM: "id owner",
            Class.STATE: "period used",
            Class.TIME: "starts",
        },
    ),
    Table(
        "portraits.Event",
        "that the operator's own systems were told of an id",
        "telling a push service that something has ended",
        *(Term.EVENT, End.WITH_ACCOUNT, "owner_id"),
        {
            Class.PSEUDONYM: "id owner object_id job_id",
            Class.STATE: "type state status outcome sequence",
            Class.TIME: "created_at ended_at",
        },
    ),
    Table(
        "portraits.Report",
        "that its owner found something wrong with a portrait: a reason from a list, no words",
        "finding styles and gates that fail people",
        *(Term.REPORT, End.WITH_ACCOUNT, "owner_id"),
        {
            Class.PSEUDONYM: "id owner portrait_id",
            Class.DECLARED: "style reason",
            Class.STATE: "state",
            Class.TIME: "created_at due_at closed_at",
        },
    ),
    Table(
        "portraits.Trial",
        "a style painted on a drawn subject who is nobody",
        "trying a style without a photo",
        *(Lasting.CATALOGUE, End.NOBODY, None),
        {Class.NOBODY: "style image sha256 created_at"},
    ),
    Table(
        *("portraits.Style", "the catalogue of styles", "the product"),
        *(Lasting.CATALOGUE, End.NOBODY, None),
        {
            Class.NOBODY: "id slug version name description engine recipe preview position"
            " fault published_at retired_at"
        },
    ),
    Table(
        *("portraits.Halt", "engines that an operator has stopped", "availability"),
        *(Lasting.CATALOGUE, End.NOBODY, None),
        {Class.NOBODY: "engine kind since"},
    ),
    Table(
        *("portraits.Painter", "which engines are running", "availability"),
        *(Lasting.WORK, End.NOBODY, None),
        {Class.NOBODY: "id holder engine state loaded rate swap_seconds seen_at"},
    ),
)
