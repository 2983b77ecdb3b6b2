"""The portraits app: tells privacy what must halt when a person goes, its parts, and its terms."""

from django.apps import AppConfig


class PortraitsConfig(AppConfig):
    """Registers the stops, the parts and the endings of this room."""

    name = "portraits"

    def ready(self) -> None:
        """Models are loaded now, so the domain can be imported."""
        from portraits import endings, jobs, parts, references, witness
        from portraits.models import Allowance, Event
        from privacy import parts as scopes
        from privacy import stops, terms, witnesses
        from privacy.retention import Term

        stops.stops.append(endings.stop_person)
        stops.keepers.append(references.let_go)
        stops.cancels.append(endings.cancel_restored)
        scopes.parts.update(parts.PARTS)
        witnesses.witnesses.append(witness.look)
        terms.endings.extend(
            (
                terms.Rows(
                    "allowances", Term.ALLOWANCE, terms.after(Allowance, "starts", Term.ALLOWANCE)
                ),
                terms.Rows("told", Term.EVENT, terms.after(Event, "created_at", Term.EVENT)),
                terms.Rows("jobs", Term.JOB, endings.forgotten),
                terms.Rows(
                    "idempotency_keys", Term.IDEMPOTENCY_KEY, jobs.past_keys, jobs.forget_keys
                ),
            )
        )
