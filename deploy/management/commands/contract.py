"""`manage.py contract`: write the OpenAPI document; with `--release`, promise it to clients."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

from deploy.contract.changes import breaking
from deploy.contract.files import RELEASED, WRITTEN, parse, read
from deploy.env import ROOT


def render() -> str:
    """The document as the code says it, as YAML. No database is asked."""
    document = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    text: bytes = OpenApiYamlRenderer().render(document, renderer_context={})  # type: ignore[no-untyped-call]
    return text.decode()


class Command(BaseCommand):
    """Writes the file."""

    help = "Write deploy/contract/openapi.yaml; list what it breaks."
    requires_system_checks: list[str] = []  # the document needs no key, bucket or database

    def add_arguments(self, parser: Any) -> None:
        """One flag."""
        parser.add_argument("--release", action="store_true", help="promise it to clients")

    def handle(self, *args: Any, **options: Any) -> None:
        """Overwrite it; release it only if it breaks nothing that is promised."""
        text = render()
        WRITTEN.write_text(text)
        self.stdout.write(str(WRITTEN.relative_to(ROOT)))
        broken = breaking(read(RELEASED), parse(text)) if RELEASED.exists() else []
        if broken:
            raise CommandError("Clients of the released document break:\n" + "\n".join(broken))
        if options["release"]:
            RELEASED.write_text(text)
            self.stdout.write(str(RELEASED.relative_to(ROOT)))
