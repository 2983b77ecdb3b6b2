"""One shape for every metric: a gauge with a sentence, and labels from a short, closed list.

Refuses labels that would name a person or grow without end: an id is never a label.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client.core import GaugeMetricFamily

# Each of them takes few values: what staff have published, or what the code itself names.
LABELS: Final = frozenset(
    {
        *("engine", "lane", "state", "kind", "outcome", "code", "quantile", "sort", "stage"),
        *("period", "role", "check", "login", "need", "part"),
    }
)
Label = str | tuple[str, ...]
Values = Mapping[str, float] | Mapping[tuple[str, ...], float] | Mapping[Label, float]


def gauge(name: str, says: str, labels: str, values: Values) -> GaugeMetricFamily:
    """A gauge `sitter_<name>`; `labels` are names with spaces between them."""
    names = labels.split()
    if not LABELS.issuperset(names):
        raise ValueError(f"{name} has a label that is not on the list.")
    family = GaugeMetricFamily(f"sitter_{name}", says, labels=names)
    for key, value in values.items():
        family.add_metric([key] if isinstance(key, str) else list(key), float(value))
    return family


def number(name: str, says: str, value: float) -> GaugeMetricFamily:
    """A gauge without labels."""
    family = GaugeMetricFamily(f"sitter_{name}", says)
    family.add_metric([], float(value))
    return family


def zeros(keys: Iterable[Label]) -> dict[Label, float]:
    """A start for what is counted: a rule cannot tell a number that is missing from a 0."""
    return dict.fromkeys(keys, 0.0)
