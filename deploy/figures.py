"""Acceptance figures: what was promised, what was measured, under which conditions.

Whatever measures one calls `record`; rows land in `var/figures/<make target>.json`. A run replaces
only its own ids, atomically and under a lock. `python -m deploy.figures` prints all known ids in
one table, those not yet measured too; what was not run says so and never counts as holding.
"""

import fcntl
import json
import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from deploy.env import ROOT

FOLDER: Final = ROOT / "var" / "figures"
COLUMNS: Final = (
    "id", "what", "goal", "value", "unit", "n", "holds", "conditions", "measured_at"
)  # fmt: skip

# id → (what, goal). The numbers are promises; a change of one needs a decision in deploy/docs.
KNOWN: Final[dict[str, tuple[str, str]]] = {
    "R-01": ("500 jobs under 200 SIGKILLs: lost, doubled, orphans", "0 / 0 / 0"),
    "R-02": ("broker wiped 20 times: lost; all moving again", "0; 60 s or less"),
    "R-03": ("job longer than the visibility timeout: commits", "exactly 1"),
    "R-04": ("stale commits refused after SIGSTOP past the lease", "100 of 100"),
    "R-05": ("crash between every pair of transitions: invariants", "hold at all"),
    "R-06": ("10 kills of PostgreSQL under load: acknowledged posts lost", "0"),
    "R-07": ("S3 down, failing, slow: jobs failed that a retry could save", "0"),
    "R-08": ("poison job: attempts", "3 or fewer"),
    "R-09": ("two beats: each period's runs", "exactly 1"),
    "R-10": ("100 broker resets: consumption resumes", "30 s or less"),
    "R-11": ("cancel or withdraw at a random step: portraits after the 200", "0"),
    "R-12": ("concurrent posts with one idempotency key: jobs", "1"),
    "R-13": ("SIGTERM under load: lost", "0"),
    "R-14": (
        "restore drill: living portraits that open; back and proved at 10,000 people",
        "100 %; 600 s or less",
    ),
    "C-01": ("bit flips accepted", "0"),
    "C-02": ("truncated, appended, swapped regions accepted", "0"),
    "C-03": ("objects swapped between owners, kinds, ids that open", "0"),
    "C-04": ("seal or unseal without its full context", "impossible by signature"),
    "C-05": ("opened by an implementation written from FORMAT.md alone", "100 %"),
    "C-06": ("owner keys rewrapped a second", "2,000 or more"),
    "C-07": ("KMS and local backends pass the same suite", "pass"),
    "C-08": ("nonce or key repeated over a million seals", "0"),
    "C-09": ("seal and unseal 4 MB, p95", "3 ms or less each"),
    "E-01": ("account erasure to signed receipt; key destroyed", "60 s; 2 s or less"),
    "E-02": ("canaries in clear after erasure", "0"),
    "E-03": ("canaries in clear before erasure, outside the download", "0"),
    "E-04": ("versions, markers, uploads under the prefix", "0 / 0 / 0"),
    "E-05": ("erase during a running job: capsules or rows later", "0"),
    "E-06": ("erasure worker killed at each step: receipts", "exactly 1"),
    "E-07": ("face templates in any store", "0"),
    "E-08": ("image in memory 5 s after the job", "0"),
    "E-09": ("backup restored past the horizon: objects that open", "0"),
    "E-10": ("dump restored inside the horizon: re-erased before ready", "100 %"),
    "E-11": ("receipts with a changed byte that verify", "0"),
    "E-12": ("items past their deadline after a year of sweeps", "0"),
    "P-01": ("uploads or jobs without a live consent that pass", "0"),
    "P-02": ("personal fields in export, erasure plan and retention", "100 %"),
    "P-03": ("portraits marked as made by AI; with an identifier", "100 %; 0"),
    "I-01": ("image corpora through the endpoint: crashes, 5xx", "0 / 0"),
    "I-02": ("fuzzing of the decoder: escapes", "0"),
    "I-03": ("metadata canaries that survive into a stored copy", "0"),
    "schemathesis": ("the contract walked: server errors; answers unlike it", "0 / 0"),
    "A-01": ("foreign objects reachable", "0"),
    "A-02": ("ended sessions that are accepted", "0"),
    "A-03": ("throttle overshoot under 200 concurrent", "0"),
    "A-04": ("image bytes reachable by staff", "0"),
    "A-05": ("pages of the admin that open without a second factor", "0"),
    "A-06": ("pictures, prompts and addresses that staff meet in the admin", "0"),
    "W-01": ("watermark found after JPEG 75, 75 % of the size, 5 % cropped", "99 % or more"),
    "W-02": ("watermark against the picture, the worst", "40 dB or more"),
    "W-03": ("content credentials read back by another reader; with an identifier", "100 %; 0"),
    "W-04": ("watermark found in clean pictures", "0 of 10,000"),
    "W-05": ("processor time of marking and of looking", "50 ms; 300 ms"),
    "N-01": ("packets from workers to anywhere else", "0"),
    "N-02": ("tampered weights that load", "0"),
    "B-01": ("bad photos accepted; good photos refused", "0; 5 % or fewer"),
    "judge-safe": ("safe pictures that the judge of indecency holds back", "0"),
    "pocket-memory": ("memory of a process that paints, 512 and 1024 px", "700 MB or less"),
    "face-found": ("identity portraits in which the gate finds the face", "none lost twice"),
    "R1": ("GPU busy at 200 ms jobs; against a plain Celery task", "0.90; 1.7x"),
    "R2": ("throughput against the best of the peers", "1.0x or more"),
    "R3": ("CPU of the job path beside the codec", "5 ms a job or less"),
    "R4": ("single jobs behind 200: p95 wait in service times", "3 or fewer"),
    "R5": ("engine swaps against FIFO", "a quarter or fewer"),
    "R7": ("sealing against one-shot AES-GCM", "0.3 ms + 1.1x"),
    "R8": ("status poll against stock DRF per CPU second", "2x or more"),
    "R8-submit": ("submit against stock DRF per CPU second", "1.2x or more"),
    "R8-download": ("sealed download against a plain one: first byte; throughput", "1.3x; 0.7x"),
    "poll-p99": ("a status poll at half load on two cores beside the stack, p99", "50 ms or less"),
    "upload": (
        "a photo of 3 MB on two cores beside the stack, p95: sealed; judged by an idle intake",
        "400 ms; 1.2 s",
    ),
    "first-byte": (
        "a sealed portrait's first byte against the same bytes unsealed, same view and checks",
        "1.3x or less",
    ),
    "seal-first": ("bytes of a portrait with one turned bit that leave the web", "0"),
    "R8-event": ("a change to its event at the client", "100 ms or less"),
    "R9": ("due scan at ten million rows; swept a second", "2 ms; 40,000"),
    "R10": ("killed worker's job runs elsewhere", "20 s or less"),
    "R11": ("memory growth over 10,000 jobs", "5 % or less"),
    "A3": ("klein-4B, 4 steps, 1 reference, on one H100", "0.65 s or less"),
    "A4": ("Z-Image-Turbo, 8 calls, on one H100", "0.95 s or less"),
    "A5": ("idle gap between jobs on one H100", "5 ms or less"),
    "A6": ("compile to first image, from a shipped cache", "5 s or less"),
    "A7": ("swap of 24 GB from pinned memory", "1.5 s or less"),
    "try-weight": ("the try page before signing up, everything it loads", "150 kB or less"),
    "try-interactive": ("the try page ready for input", "1 s or less"),
    "step-callback": ("what the worker's step callback takes of steps of 60 ms", "1 % or less"),
    "prove": ("checks of `make prove` that hold", "all"),
    "capacity": ("the simulated fleet against the live one: throughput, p50, p95", "15 % or less"),
    "canary-reports": ("thirty failures that quote somebody: words in traces and reports", "0"),
    "doctor-finds": ("injected misconfigurations that the doctor names", "all of 15 or more"),
    "L4": ("the day on which an open request rings, the first region", "20 or before"),
    "L11": ("a stolen role's openings in ten minutes: missed; listed too many", "0 / 0"),
    "L12": ("classes, purposes and roles that the impact assessment lacks", "0"),
    "alerts-fire": ("injected faults whose alert fires in time", "all; within 120 s"),
    "stack-ready": ("embedded stack ready after installation", "15 s or less"),
    "stack-memory": ("embedded stack's memory beside the engine", "1.5 GB or less"),
    "face-told": ("pocket portraits nearest to the photo that they are of", "all"),
    "skin-kept": (
        "skin in coloured pocket styles, against the photo",
        "within 9 of L*, 16 degrees",
    ),
    "pocket-512": ("pocket engine, 512 px on two cores", "6 s or less"),
}


def record(
    target: str,
    figure: str,
    *,
    value: Any,
    unit: str,
    n: int,
    holds: bool | None,
    conditions: str,
) -> None:
    """Store one measured figure under its id. Raises KeyError for an id that nobody promised."""
    what, goal = KNOWN[figure]
    row = {
        "id": figure,
        "what": what,
        "goal": goal,
        "value": value,
        "unit": unit,
        "n": n,
        "holds": holds,
        "conditions": f"{conditions}; {os.cpu_count()} cores, {platform.machine()}",
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"{target}.json"
    with (FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        rows = [old for old in _read(file) if old["id"] != figure]
        draft = file.with_suffix(".tmp")
        draft.write_text(json.dumps(sorted([*rows, row], key=_by_id), indent=1) + "\n")
        draft.replace(file)


def best() -> list[dict[str, Any]]:
    """Every known id once: the row with the largest n, or one that says it was not measured."""
    rows = [row for file in sorted(FOLDER.glob("*.json")) for row in _read(file)]
    chosen = []
    for figure, (what, goal) in KNOWN.items():
        found = [row for row in rows if row["id"] == figure]
        blank = dict.fromkeys(COLUMNS) | {"id": figure, "what": what, "goal": goal}
        chosen.append(max(found, key=lambda row: row["n"] or 0) if found else blank)
    return chosen


def table(rows: Iterable[dict[str, Any]]) -> str:
    """A Markdown table."""
    lines = ["| id | what | goal | measured | n | holds |", "|---|---|---|---|---|---|"]
    words = {True: "yes", False: "NO", None: "not run"}
    for row in rows:
        value = "" if row["value"] is None else f"{row['value']} {row['unit'] or ''}".strip()
        lines.append(
            f"| {row['id']} | {row['what']} | {row['goal']} | {value} | {row['n'] or ''} "
            f"| {words[row['holds']]} |"
        )
    return "\n".join(lines)


def _by_id(row: dict[str, Any]) -> str:
    return str(row["id"])


def _read(file: Path) -> list[dict[str, Any]]:
    return json.loads(file.read_text()) if file.exists() else []


if __name__ == "__main__":
    print(table(best()))  # noqa: T201 - this is what `make figures` shows
