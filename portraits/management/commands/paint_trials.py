"""`manage.py paint_trials`: have the styles painted that nobody can try yet."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from portraits import painters, trials
from privacy import dispatch


class Command(BaseCommand):
    """Asks the workers, and names the styles that no running worker can paint."""

    help = "Paint every style version that has no trial picture, on a drawn subject."

    def handle(self, *args: Any, **options: Any) -> None:
        """One message an engine's style; any worker that gets one paints all that it can."""
        alive = painters.alive(timezone.now())
        left = trials.missing()
        for style in left:
            served = style.engine in alive
            self.stdout.write(f"{style}: {'asked for' if served else 'no worker serves it'}")
            if served and not dispatch.nudge("trial", style.pk):
                raise CommandError("The broker does not answer; ask again when it does.")
        if not left:
            self.stdout.write("Every style can be tried.")
