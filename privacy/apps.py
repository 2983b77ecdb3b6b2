"""The privacy app: registers its checks and refuses to start when one of them fails."""

from django.apps import AppConfig
from django.core import checks
from django.core.exceptions import ImproperlyConfigured


class PrivacyConfig(AppConfig):
    """Runs the checks in every process, because gunicorn and Celery do not run Django's."""

    name = "privacy"

    def ready(self) -> None:
        """All models are loaded here, those of later apps too."""
        from accounts import arrival
        from accounts.staff import acts
        from privacy import (
            bucket,
            erasure,
            export,
            leases,
            recipients,
            signins,
            staff,
            stops,
            sweeps,
        )
        from privacy import checks as ours  # the app registry must be filled first

        for check in ours.ALL:
            checks.register(check)
        # It asks the bucket, so it runs only when asked for: `check --deploy --tag bucket`.
        checks.register(bucket.check, "bucket", deploy=True)
        failed = [error for check in ours.ALL for error in check(None)]
        if failed:
            raise ImproperlyConfigured(" ".join(str(error.msg) for error in failed))
        acts.listeners.append(staff.acted)
        stops.stops.append(export.stop_person)
        arrival.keepers.append(signins.keep)
        arrival.parted.append(signins.end)
        sweeps.patient.add(signins.LEASE)
        recipients.recipients[signins.APPLE] = signins.RECIPIENT
        leases.patience[erasure.LEASE] = erasure.STEP_LIMIT
