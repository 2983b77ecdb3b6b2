"""`manage.py settings_table`: write the settings table and `.env.example` from deploy/env.py."""

from typing import Any

from django.core.management.base import BaseCommand
from pydantic import SecretStr

from deploy.env import ROOT, Env

TABLE = ROOT / "deploy" / "docs" / "settings.md"
EXAMPLE = ROOT / ".env.example"
HEAD = """\
# Settings

Every environment variable that Sitter reads. This page is written by `manage.py settings_table`
from `deploy/env.py`; a test compares them.

| variable | type | default | what it is |
|---|---|---|---|
"""


def _default(value: Any) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).replace("'", '"').replace(f"{ROOT}/", "")


def _type(annotation: Any) -> str:
    name = getattr(annotation, "__name__", None) if isinstance(annotation, type) else None
    text = name or str(annotation)
    for long, short in (
        ("pathlib.Path", "path"), ("pydantic.types.", ""), ("SecretStr", "secret"), (" | None", ""),
        ("Path", "path"),
    ):  # fmt: skip
        text = text.replace(long, short)
    return text


def render() -> dict[str, str]:
    """File name → text, both from the one settings class."""
    table, example = [HEAD], ["# Written by manage.py settings_table. Copy to .env and fill in.\n"]
    for name, field in Env.model_fields.items():
        variable = f"SITTER_{name.upper()}"
        default = _default(field.default)
        shown = f"`{default}`" if default else ""
        table.append(
            f"| `{variable}` | {_type(field.annotation)} | {shown} | {field.description} |\n"
        )
        example.append(f"\n# {field.description}\n# {variable}={default}\n")
    return {str(TABLE): "".join(table), str(EXAMPLE): "".join(example)}


class Command(BaseCommand):
    """Writes both files."""

    help = "Write deploy/docs/settings.md and .env.example from deploy/env.py."

    def handle(self, *args: Any, **options: Any) -> None:
        """Overwrite them."""
        for file, text in render().items():
            with open(file, "w") as handle:
                handle.write(text)
            self.stdout.write(file)
