"""How long an installation of 10,000 people takes to come back from a backup (R-14, E-10).

It is the drill itself (`manage.py restore_drill`), at the size that the figure is promised for.
"""

from rich.console import Console

from deploy.drill import terminal
from tests.bench import report

PEOPLE = 10_000


def run(people: int = PEOPLE) -> None:
    """The whole drill; its parts and checks are kept."""
    console = Console()
    outcome = terminal.rehearse(people, console)
    terminal.show(console, outcome)
    print(f"back after {outcome.rto:.0f} s:")
    for name, seconds in outcome.seconds.items():
        print(f"  {name}: {seconds:.1f} s")
    report.keep("restore", outcome.as_json())
    terminal.record("bench", outcome)
