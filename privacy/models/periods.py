"""When each periodic task ran last, so that two beats make it run once."""

from django.db import models


class Period(models.Model):
    """One entry of the beat table. `slot` counts its periods since 1970 and only grows."""

    name = models.CharField(max_length=40, primary_key=True)
    slot = models.BigIntegerField(default=0)
    ran_at = models.DateTimeField(null=True)
    # What it counted, where it counts something, and when: for those who may not count themselves.
    found = models.JSONField(default=dict)
    found_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name
