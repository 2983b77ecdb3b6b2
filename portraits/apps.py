"""The portraits app: tells privacy what must halt when a person goes, its parts, and its terms."""

from django.apps import AppConfig
from django.conf import settings


class PortraitsConfig(AppConfig):
    """Registers the stops, the parts and the endings of this room."""

    name = "portraits"

    def ready(self) -> None:
        """Models are loaded now, so the domain can be imported."""
        from portraits import endings, events, jobs, parts, references, reports, witness
        from portraits.models import Allowance, Event, Report
        from privacy import leases, stops, sweeps, terms, witnesses
        from privacy import parts as scopes
        from privacy.retention import Term

        stops.stops.append(endings.stop_person)
        stops.keepers.append(references.let_go)
        # In this order: what the ending of restored jobs notes is news.
        stops.cancels.append(events.cancel_restored)
        stops.cancels.append(endings.cancel_restored)
        scopes.parts.update(parts.PARTS)
        witnesses.witnesses.append(witness.look)
        sweeps.patient.add(events.LEASE)
        leases.mourners.append(endings.mourn)
        leases.patience[endings.LEASE] = settings.ITEM_LIMIT
        sweeps.counted.append(events.backlog)
        sweeps.counted.append(reports.backlog)
        terms.endings.extend(
            (
                terms.Rows(
                    "allowances", Term.ALLOWANCE, terms.after(Allowance, "starts", Term.ALLOWANCE)
                ),
                terms.Rows("told", Term.EVENT, terms.after(Event, "created_at", Term.EVENT)),
                terms.Rows("reports", Term.REPORT, terms.after(Report, "created_at", Term.REPORT)),
                terms.Rows("jobs", Term.JOB, endings.forgotten),
                terms.Rows(
                    "idempotency_keys", Term.IDEMPOTENCY_KEY, jobs.past_keys, jobs.forget_keys
                ),
            )
        )
