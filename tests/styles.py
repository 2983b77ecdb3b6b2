"""Styles that tests and benchmarks add to the shop window of a running stack."""

import json

import psycopg

from deploy.env import Role
from deploy.stack.supervisor import Stack

PASSTHROUGH = "tests.passthrough:PassthroughEngine"


def publish(stack: Stack, slug: str, engine: str, **recipe: object) -> None:
    """A style of this name, painted by this engine; the second time nothing.

    Engines of tests paint no face, so none is asked for unless the recipe says so.
    """
    made = {"style": slug, "face_gate": "off", **recipe}
    with _migrator(stack) as connection:
        connection.execute(
            "INSERT INTO portraits_style (id, slug, version, name, description, engine, recipe,"
            " preview, position, fault, published_at) VALUES (gen_random_uuid(), %s, 1, %s,"
            " 'Of the tests.', %s, %s, '', 99, '', now()) ON CONFLICT DO NOTHING",
            [slug, slug, engine, json.dumps(made)],
        )


def retire(stack: Stack, slug: str) -> None:
    """Nobody can order it any more."""
    with _migrator(stack) as connection:
        connection.execute("UPDATE portraits_style SET retired_at = now() WHERE slug = %s", [slug])


def _migrator(stack: Stack) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(stack.env(Role.MIGRATOR)["SITTER_DATABASE_URL"])
