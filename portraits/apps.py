"""The portraits app: tells privacy what must halt when a person goes."""

from django.apps import AppConfig


class PortraitsConfig(AppConfig):
    """Registers the stop of this room."""

    name = "portraits"

    def ready(self) -> None:
        """Models are loaded now, so the domain can be imported."""
        from portraits import endings
        from privacy import stops

        stops.stops.append(endings.stop_person)
