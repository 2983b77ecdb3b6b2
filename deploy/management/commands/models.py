"""`manage.py models`: pull, verify and list the weights of engines that others published."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.models import fetch, registry
from workers.engines.base import WeightsRefused


class Command(BaseCommand):
    """Run where the hub may be reached; workers read the folder and nothing else."""

    help = "Fetch, check or list published weights (deploy/models/registry.json)."

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do, with which, where."""
        parser.add_argument("what", choices=("pull", "verify", "list"))
        parser.add_argument("names", nargs="*", help="Engines; without one, all that lie there.")
        parser.add_argument("--mirror", help="A mirror of the hub instead of the hub.")
        parser.add_argument(
            "--pin",
            action="store_true",
            help="Trust what comes now, and write its hashes into the registry.",
        )
        parser.add_argument("--registry", type=Path, default=registry.FILE)
        parser.add_argument("--weights", type=Path, default=settings.WEIGHTS)

    def handle(self, *args: Any, **options: Any) -> None:
        """One of three."""
        known = registry.Registry(options["registry"])
        weights: Path = options["weights"]
        names = options["names"] or [name for name in known.names if (weights / name).is_dir()]
        try:
            match options["what"]:
                case "pull":
                    self._pull(known, options["names"], weights, options)
                case "verify":
                    self._verify(known, names, weights)
                case _:
                    self._list(known, weights)
        except (registry.Unlisted, fetch.NotFetched, WeightsRefused) as error:
            raise CommandError(str(error)) from error

    def _pull(
        self, known: registry.Registry, names: list[str], weights: Path, options: dict[str, Any]
    ) -> None:
        if not names:
            raise CommandError(f"Say which: {', '.join(known.names)}.")
        for name in names:
            model = known.model(name)
            files = fetch.pull(
                model,
                options["mirror"] or known.hub,
                weights,
                trust=options["pin"],
                say=self.stdout.write,
            )
            if options["pin"]:
                known.pin(name, files)
            self.stdout.write(f"{name}: {len(files)} files under {model.licence}.")

    def _verify(self, known: registry.Registry, names: list[str], weights: Path) -> None:
        for name in names:
            model = known.model(name)
            fetch.verify(model, weights)
            pinned = "as pinned" if model.files else "as fetched; no hashes are pinned"
            self.stdout.write(f"{name}: {pinned}.")
        if not names:
            self.stdout.write("No published weights lie here.")

    def _list(self, known: registry.Registry, weights: Path) -> None:
        for name in known.names:
            model = known.model(name)
            here = "here" if (weights / name).is_dir() else "not here"
            pinned = "pinned" if model.pinned else "not pinned"
            self.stdout.write(
                f"{name:12} {here:9} {pinned:11} {model.licence:13} {model.source}"
                f" @ {model.revision[:12]}"
            )
