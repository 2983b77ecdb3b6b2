"""Every table and field has a class, a purpose, a retention and an end; all else follows."""

import io
import json
import os
import subprocess
import sys
import textwrap
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection

from deploy.env import ROOT, Role
from privacy import checks, inventory, records
from privacy.consent import Purpose
from privacy.inventory import COPIED, PERSONAL, STORES, TABLES, Class, End, Lasting, said
from privacy.retention import DEADLINES, TERMS, Kind, Rule, Term
from tests.figures import figure

BY_NAME = {table.model: table for table in TABLES}
DOCS = ROOT / "deploy" / "docs"


def test_every_field_of_every_model_is_classed_once() -> None:
    models = list(apps.get_models(include_auto_created=True))
    assert len(models) == len(TABLES) > 35
    for model in models:
        table = BY_NAME[model._meta.label]
        named = [name for names in table.fields.values() for name in names.split()]
        assert len(named) == len(set(named)), table.model
        assert set(named) == {field.name for field in model._meta.concrete_fields}, table.model


def test_every_field_has_a_purpose_a_retention_and_an_end() -> None:
    for table in TABLES:
        assert table.holds
        assert table.keep
        assert set(table.sooner) | set(table.purposes) <= set(table.columns), table.model
        for column in table.columns.values():
            assert column.why, f"{table.model}.{column.name}"
            assert isinstance(column.kept, Kind | Term | Lasting)
            assert isinstance(column.end, End)
            if table.end is End.NOBODY:
                assert column.sort is Class.NOBODY, f"{table.model}.{column.name}"
            if column.sort in PERSONAL:
                assert column.kept is not Lasting.CATALOGUE, f"{table.model}.{column.name}"


def test_every_table_of_the_database_is_a_model_or_a_place_that_is_named() -> None:
    tables = set(connection.introspection.table_names())
    models = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    assert tables - models == {"django_migrations"}
    assert "django_migrations" in {store.name for store in STORES}


def test_what_is_kept_anywhere_is_a_rule_of_the_law_or_says_what_ends_it() -> None:
    used = {column.kept for table in TABLES for column in table.columns.values()}
    used |= {store.kept for store in STORES}
    # The bucket holds every kind; the account's term is the end of whatever lasts as long.
    terms = {kept for kept in used if isinstance(kept, Term)} | {Term.ACCOUNT}
    assert terms == set(Term)
    for kept in used:
        assert said(kept)


def test_the_words_follow_the_law(monkeypatch: pytest.MonkeyPatch) -> None:
    fixed = timedelta(days=11)
    monkeypatch.setitem(TERMS, Term.JOB, Rule(fixed, fixed, "."))
    monkeypatch.setitem(TERMS, Term.ACCOUNT, Rule(fixed, fixed, "."))
    monkeypatch.setitem(DEADLINES, Kind.PORTRAIT, Rule(fixed, 2 * fixed, "."))
    assert BY_NAME["portraits.Job"].keep == "11 days"
    assert BY_NAME["portraits.Portrait"].keep == "11 days, 22 days at most"
    assert BY_NAME["accounts.User"].keep.endswith("at the latest 11 days after its last use")


def test_children_stand_before_what_they_point_at() -> None:
    order = {table.model: place for place, table in enumerate(TABLES)}
    for table in TABLES:
        if table.end is not End.WITH_ACCOUNT:
            continue
        for field in apps.get_model(table.model)._meta.concrete_fields:
            target = field.related_model
            if not field.is_relation or field.null or isinstance(target, str) or target is None:
                continue
            other = BY_NAME[target._meta.label]
            if other.end is End.WITH_ACCOUNT:
                assert order[table.model] < order[other.model], f"{table.model}.{field.name}"


def test_a_field_that_is_not_classed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    table = BY_NAME["accounts.User"]
    fields = {**table.fields, Class.CONTACT: ""}
    poorer = inventory.Table(
        table.model, table.holds, table.why, table.kept, table.end, table.owner, fields
    )
    others = tuple(poorer if one is table else one for one in TABLES)
    monkeypatch.setattr(checks, "TABLES", others)
    assert checks.unlisted_fields() == ["accounts.User.email"]
    (error,) = checks.check_inventory(None)
    assert error.msg == "accounts.User.email is missing in privacy/inventory.py."


INTRUDERS = {
    "accounts.Diary": "class Diary(models.Model):\n    face = models.TextField()\n",
    "accounts.User.nickname": (
        "from accounts.models import User\n"
        "models.CharField(max_length=9).contribute_to_class(User, 'nickname')\n"
    ),
}


@pytest.mark.parametrize("missing", INTRUDERS)
def test_a_process_with_one_more_model_or_field_does_not_start(
    missing: str, tmp_path: Path
) -> None:
    """Put into accounts/ while it is imported, as a change that forgot the inventory would be."""
    (tmp_path / "intruding.py").write_text(
        textwrap.dedent(
            """\
            import sys
            from django.apps import AppConfig
            imported = AppConfig.import_models

            def importing(config):
                imported(config)
                if config.name == "accounts":
                    exec(sys.argv[1], {"__name__": "accounts.models"})

            AppConfig.import_models = importing
            import django
            django.setup()
            """
        )
    )
    code = "from django.db import models\n" + INTRUDERS[missing]
    for added, starts in (("", True), (code, False)):
        ended = subprocess.run(
            [sys.executable, str(tmp_path / "intruding.py"), added],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ended.returncode == 0) is starts, ended.stderr
        if not starts:
            assert f"{missing} is missing in privacy/inventory.py." in ended.stderr


# --- What is written from it ---------------------------------------------------------------------


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("processing_records", *arguments, stdout=out)
    return out.getvalue()


def test_the_records_of_processing_are_up_to_date(settings_of: Any) -> None:
    settings_of(PROCESSORS=[])
    written = (DOCS / "records.md").read_text()
    assert printed() == written, "run manage.py processing_records > deploy/docs/records.md"
    assert printed("--markdown") == written


def test_the_records_name_the_controller_and_the_processors(settings_of: Any) -> None:
    settings_of(
        PROCESSORS=[{"name": "Example Cloud", "does": "runs the machines", "region": "eu-west-1"}]
    )
    options = ("--controller", "Example Ltd, 1 High Street", "--contact", "dpo@example.org")
    found = json.loads(printed("--json", *options))
    assert (found["controller"], found["contact"]) == (options[1], options[3])
    assert [row["name"] for row in found["recipients"]] == ["Example Cloud"]
    page = printed(*options)
    assert "| Example Cloud | runs the machines | eu-west-1 |" in page
    assert "Example Ltd" in page


def test_the_records_hold_every_personal_field_with_its_end() -> None:
    plan = {row["table"]: row for row in records.records()["erasure_plan"]}
    for table, column in inventory.personal():
        assert column.name in plan[table.model]["fields"][column.sort.name]
        assert plan[table.model]["end"] == table.end.value
        assert plan[table.model]["how_long"] == table.keep
    purposes = {row["purpose"] for row in records.records()["activities"]}
    assert {column.why for _, column in inventory.personal()} == purposes


def test_the_impact_assessment_lists_every_class_purpose_and_role() -> None:
    page = (DOCS / "dpia.md").read_text()
    wanted = [f"\n| {kind.name} |" for kind in Class]
    wanted += [f"| `{purpose}` |" for purpose in Purpose.values]
    wanted += [f"`{role}`" for role in (*Role, "staff")]
    missing = [each for each in wanted if each not in page]
    figure(
        "L12",
        value=len(missing),
        n=len(wanted),
        holds=not missing,
        conditions="every class of data and every purpose of the inventory, and every role, looked"
        " for in deploy/docs/dpia.md",
    )
    assert missing == []


def test_the_proofs_that_the_assessment_names_exist() -> None:
    page = (DOCS / "dpia.md").read_text()
    named = [part.split("`")[0] for part in page.split("`pytest ")[1:]]
    assert len(named) > 4
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_what_is_left_out_of_a_copy_is_a_secret() -> None:
    assert frozenset({Class.SECRET}) == PERSONAL - COPIED
    secrets = [f"{t.model}.{c.name}" for t, c in inventory.personal() if c.sort is Class.SECRET]
    assert sorted(secrets) == [
        "account.EmailConfirmation.key",
        "accounts.Session.session_key",
        "accounts.User.password",
        "mfa.Authenticator.data",
        "privacy.Capsule.enc",
        "privacy.CaseEntry.capsule",
        "privacy.FaceClaim.capsule",
        "privacy.OwnerKey.wrapped",
        "privacy.SignInGrant.capsule",
        "socialaccount.SocialToken.token",
        "socialaccount.SocialToken.token_secret",
    ]
