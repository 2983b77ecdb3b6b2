"""What is asked of support by hand rings while there is time to answer it, by an invented clock."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from accounts.models import Region
from deploy.env import ROOT
from deploy.metrics import promises
from privacy.desk import incoming, law
from privacy.models import Case
from tests.figures import figure
from tests.portraits.making import now
from tests.privacy.desking import WORDS, fresh, officer

# So long ago that no other test's request is due before it.
START: Final = datetime(2001, 7, 2, 9, tzinfo=UTC)
RULE: Final = re.compile(r"sitter_request_due_seconds < (\d+)")


def rings_on(region: Region) -> int:
    """The first day, counted from the request's, on which the alert's rule is true."""
    (threshold,) = RULE.findall((ROOT / "deploy" / "grafana" / "alerts.yaml").read_text())
    said = incoming.Asked(Case.Kind.ACCESS, "en", WORDS, fresh())
    case = incoming.by_hand(said, "", region, START, officer(), now())
    try:
        for day in range(100):
            at = START + timedelta(days=day, minutes=1)
            told = {family.name: family for family in promises.look(at)}
            (sample,) = told["sitter_request_due_seconds"].samples
            if sample.value < int(threshold):
                return day
    finally:
        case.delete()
    raise AssertionError("It never rings.")


def test_it_rings_ten_days_before_the_law_says_it_is_late(born: Any) -> None:
    born("web")
    days = {region: rings_on(region) for region in Region}
    left = {region: law.CLOCKS[region].days - day for region, day in days.items()}
    assert set(left.values()) == {10}, days
    figure(
        "L4",
        value=f"day {min(days.values())}",
        n=len(days),
        holds=min(days.values()) <= 20,
        conditions="an invented clock, a request by hand a region, the rule as it is committed; by"
        f" region: {', '.join(f'{region} {day}' for region, day in days.items())}; what people do"
        " themselves takes seconds: E-01",
    )
