"""Writes deploy/docs/walkthrough-operator.md from what `make bench SUITE=walkthrough` has kept.

`python -m tests.bench.walkpage` takes the newest run of this machine, if there is one, into
deploy/docs/measured/ and writes the page anew; nothing on it is written by hand.
"""

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

from deploy.env import ROOT
from tests.bench.report import FOLDER

DOCS: Final = ROOT / "deploy" / "docs"
KEPT: Final = DOCS / "measured" / "walkthrough.json"
PAGE: Final = DOCS / "walkthrough-operator.md"
# Of an answer, so many lines and letters a line are shown.
LINES: Final = 6
LETTERS: Final = 150
TOP: Final = """\
# Faults found and mended by the runbooks

Made by `make bench SUITE=walkthrough` and `python -m tests.bench.walkpage`: an embedded stack, a
real Prometheus with [the rules as they are](../grafana/alerts.yaml), scraped every two seconds.
Each fault is made; when its alert fires, the page that the alert names is opened and **the commands
of that page** are typed, as [the runbooks](runbooks/README.md) say for a desk. What they print must
be what the page speaks of, the sentence that it leads to must stand there, and what that says is
done. It is over when the alert is, and when the page's own "mended when" holds. A page that does
not lead to the mend fails the run. Seconds count from the fault.

{conditions}

"""
BEFORE_THIS_RUN: Final = """
## What walking by them has changed on the pages

- *no-painter* had no command that shows whether a gpu worker runs at all.
- *queue-filling* sent to more workers where none ran.
- *erasure-slow* said "upkeep is down or busy" and left open how to tell.
- *periodic-work-stopped* asked for `valkey-cli`, which no image and no desk has; `/readyz` says it.
- *past-deadline* asked for `manage.py backlog`, which counts a picture two minutes later than the
  alert does, and so said that all is well.
- *not-ready* did not say that, while PostgreSQL hangs, the keys in its answer could only not be
  asked.
- *down* spoke of slow answers, and its commands did not show how long one takes.
- The table of the runbooks did not say how a command reads beside `make up`.
"""


def main() -> int:
    """Take the newest run and write the page."""
    newest = FOLDER / "walkthrough.json"
    if newest.exists():
        KEPT.write_text(newest.read_text())
    PAGE.write_text(page(json.loads(KEPT.read_text())))
    return 0


def page(raw: dict[str, Any]) -> str:
    """The whole page."""
    walks = raw["walks"]
    rows = [
        f"| {walk['fault']} | {walk['alert']} | {_link(walk['page'])} | {walk['found_after']:.0f} |"
        f" {walk['over_after']:.0f} |"
        for walk in walks
    ]
    table = ["| fault | alert | page | found after, s | over after, s |", "|---|---|---|---|---|"]
    parts = [TOP.format(conditions=f"{raw['conditions']}."), "\n".join([*table, *rows]), "\n"]
    parts += [_walk(number, walk) for number, walk in enumerate(walks, 1)]
    return "".join([*parts, BEFORE_THIS_RUN])


def _link(page: str) -> str:
    name = Path(page).name
    return f"[{Path(name).stem}](runbooks/{name})"


def _walk(number: int, walk: dict[str, Any]) -> str:
    told = "\n".join(_typed(answer) for answer in walk["answers"])
    return f"""
## {number}. {walk["fault"][0].upper()}{walk["fault"][1:]}

**{walk["found_after"]:.0f} s:** the alert {walk["alert"]} fires: "{walk["summary"]}" It names
{_link(walk["page"])}, whose commands are typed:

```
{told}
```

**{walk["read_after"]:.0f} s:** read. The page says: "{_unlinked(walk["reads"])}"

**Done:** {walk["mend"]} **{walk["over_after"]:.0f} s:** the alert is over, and this holds:
`{walk["mended"]}`
"""


def _typed(answer: dict[str, Any]) -> str:
    lines = [line.rstrip()[:LETTERS] for line in answer["lines"]]
    # A list of counts is read for what is not 0.
    counts = [line for line in lines if re.match(r"\s*\d+  \w+$", line)]
    if counts:
        lines = [line for line in counts if line.split()[0] != "0"] or ["(every line is 0)"]
    shown = lines[-LINES:] or [f"(nothing; status {answer['status']})"]
    return "\n".join([f"$ {answer['command']}", *shown])


def _unlinked(sentence: str) -> str:
    """A sentence of another folder's page, without its links."""
    return re.sub(r"\[([^]]+)\]\([^)]+\)", r"\1", sentence)


if __name__ == "__main__":
    sys.exit(main())
