"""Reading what Prometheus would read."""

import re
from collections.abc import Mapping

from prometheus_client.parser import text_string_to_metric_families

from deploy.metrics import collector

NAME = re.compile(r"\bsitter_\w+")


class Scrape:
    """One answer of /metrics."""

    def __init__(self, text: str) -> None:
        self.families = list(text_string_to_metric_families(text))
        self.samples = [sample for family in self.families for sample in family.samples]

    @property
    def names(self) -> set[str]:
        return {family.name for family in self.families}

    def value(self, name: str, **labels: str) -> float | None:
        """Of the one sample with just these labels; None where there is none."""
        for sample in self.samples:
            if sample.name == f"sitter_{name}" and sample.labels == labels:
                return sample.value
        return None

    def labels(self, name: str) -> list[Mapping[str, str]]:
        return [sample.labels for sample in self.samples if sample.name == f"sitter_{name}"]


def here() -> Scrape:
    """Computed in this process, against the tests' own database."""
    return Scrape(collector.text().decode())
