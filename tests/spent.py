"""What the tests of this process take: seconds a room, and of the processor a room and a file.

The processor's are those of everything below this process: servers, workers and browsers, too.
"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import psutil

COSTLIEST = 15


class Spent:
    """A count of seconds that is read off whenever one file of tests ends."""

    def __init__(self) -> None:
        self._before = 0.0
        self.files: defaultdict[Path, float] = defaultdict(float)

    def note(self, file: Path) -> None:
        """What was burnt since the last one was noted was burnt by this."""
        now = _burnt()
        # Whoever died as nobody's child takes its count along.
        self.files[file] += max(0.0, now - self._before)
        self._before = now

    def lines(self, waited: Mapping[str, float]) -> list[str]:
        """The table's rows, and the files that burn most. `waited`: seconds by room."""
        rooms: defaultdict[str, float] = defaultdict(float)
        for file, seconds in self.files.items():
            rooms[file.parent.name] += seconds
        costliest = sorted(self.files, key=self.files.__getitem__, reverse=True)[:COSTLIEST]
        return [
            *(
                f"room {room}: {waited[room]:.0f} s, of the processor {rooms[room]:.0f} s"
                for room in sorted(waited)
            ),
            *(
                f"{self.files[file]:.0f} s of the processor: {file.parent.name}/{file.name}"
                for file in costliest
            ),
        ]


def _burnt() -> float:
    me = psutil.Process()
    seconds = 0.0
    for one in (me, *me.children(recursive=True)):
        try:
            seconds += sum(one.cpu_times()[:4])
        except psutil.Error:
            continue  # it has just ended, and whoever waited for it has its count
    return seconds
