"""What tests of the worker use: engines that do as told, an atelier, a worker's process."""

import io
import json
import os
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL, SIGTERM, Signals
from typing import Any

from django.db import connections
from PIL import Image

from deploy.env import ROOT
from portraits import jobs
from portraits.models import Item, Job, Portrait, Style
from privacy.models import Lease
from privacy.retention import Kind
from tests.chaos.person import wait
from tests.portraits import making
from workers import images
from workers.atelier import Atelier
from workers.engines import base
from workers.faces import Faces
from workers.hands import Hands
from workers.outlet import Outlet
from workers.safety import Verdict
from workers.vigil import Held

SIZES = ((512, 512), (1024, 1024))
# What each step of an engine of the tests does.
StepHook = Callable[[int], None]


def picture(width: int = 512, height: int = 512) -> Image.Image:
    """No flat colour."""
    return Image.linear_gradient("L").resize((width, height)).convert("RGB")


@dataclass
class Model:
    """An engine of ten steps; `hook` is called before each is reported."""

    hook: StepHook = lambda step: None
    pause: float = 0.0
    steps: int = 10
    sizes: tuple[tuple[int, int], ...] = SIZES
    print: str = "0" * 64
    asked: list[base.Order] = field(default_factory=list)
    spans: list[tuple[float, float]] = field(default_factory=list)
    done: int = 0
    loads: int = 0
    unloads: int = 0

    def load(self) -> None:
        self.loads += 1

    def describe(self) -> base.Capabilities:
        return base.Capabilities(
            name="model",
            tasks=frozenset({base.Task.IDENTITY, base.Task.TEXT}),
            styles=frozenset(),
            sizes=self.sizes,
            max_references=5,
            licence="Apache-2.0",
            weights_sha256="0" * 64,
        )

    def fingerprint(self) -> str:
        return self.print

    def render(self, order: base.Order, on_step: base.Step) -> Image.Image:
        self.asked.append(order)
        began = time.monotonic()
        for step in range(1, self.steps + 1):
            time.sleep(self.pause)
            self.hook(step)
            on_step(step, self.steps)
            self.done = step
        self.spans.append((began, time.monotonic()))
        return picture(order.width, order.height)

    def unload(self) -> None:
        self.unloads += 1


def words_only(engine: str | None = None, **recipe: Any) -> Style:
    """A style that takes no photo."""
    name = f"w{uuid.uuid4().hex[:12]}"
    made = {
        "style": name,
        "references": 0,
        "prompt": "a lighthouse",
        "face_gate": "off",
        **recipe,
    }
    return Style.objects.create(
        slug=name, name=name, description="", engine=engine or name, recipe=made
    )


def ordered(style: Style, count: int = 1, who: uuid.UUID | None = None) -> Job:
    """A job of somebody new without photos. The process must be dressed as the web."""
    orders = [jobs.Order(style.slug)] * count
    job, _ = jobs.submit(who or making.person(), None, orders, uuid.uuid4().hex, making.now())
    return job


def photographed(style: Style, photos: int = 1) -> Job:
    """A job of somebody new, from photos that open."""
    who = making.consenting()
    chosen = making.set_with_photo(who)
    slots = ("three_quarter_left", "three_quarter_right", "half_body", "full_body")
    for slot in slots[: photos - 1]:
        making.photo_of(chosen, who, making.now(), slot)
    data = images.encode_reference(picture(640, 640))
    for row in chosen.photos.all():
        row.reference = making.written(Kind.REFERENCE, who, data)
        row.save()
    orders = [jobs.Order(style.slug)]
    job, _ = jobs.submit(who, chosen.pk, orders, uuid.uuid4().hex, making.now())
    return job


def state(job: Job) -> tuple[str, str]:
    """Of its first item: state and code."""
    item = Item.objects.filter(job=job).order_by("position")[0]
    return item.state, item.code


def lease(job: Job) -> Lease:
    """Of its first item."""
    return Lease.objects.get(work_id=Item.objects.filter(job=job).order_by("position")[0].pk)


class Told:
    """A judge that says what it was told to, one word a picture, and in the end always safe."""

    def __init__(self, *words: Verdict) -> None:
        self.words = list(words)
        self.asked = 0

    def load(self) -> None:
        """Nothing."""

    def judge(self, picture: Image.Image) -> Verdict:
        self.asked += 1
        return self.words.pop(0) if self.words else Verdict.SAFE


def passing(*words: Verdict) -> Outlet:
    """The way out with such a judge; pictures of these tests are of no face, and need none."""
    return Outlet(Told(*words), Faces())


class Shop:
    """An atelier with engines of the tests, and what it told its process."""

    def __init__(self, outlet: Outlet | None = None) -> None:
        self.hung: list[Held] = []
        self.broken: list[Exception] = []
        self.atelier = Atelier(self.hung.append, self.broken.append, outlet or passing())
        self.threads: list[threading.Thread] = []
        self.hands: list[Hands] = []

    def put(self, name: str, engine: Any) -> Any:
        """This engine is in memory."""
        self.atelier.studio.engines[name] = engine
        return engine

    def drain(self) -> int:
        """Paint until nothing waits, in this thread."""
        done = 0
        while taken := self.atelier.claim():
            self.atelier.paint(*taken)
            done += 1
        return done

    def aside(self) -> threading.Thread:
        """The same in a thread of its own."""

        def work() -> None:
            try:
                self.drain()
            finally:
                connections.close_all()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self.threads.append(thread)
        return thread

    def employ(self, count: int = 3) -> Hands:
        """So many hands, which rest until they are woken."""
        made = Hands(self.drain, count)
        self.hands.append(made)
        made.start()
        return made

    def close(self) -> None:
        self.atelier.closing.set()
        self.atelier.closed.set()
        for hands in self.hands:
            hands.leave()
            hands.wake()
            assert hands.join(time.monotonic() + 20)
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()


@dataclass
class Process:
    """A gpu worker."""

    process: "subprocess.Popen[bytes]"
    log: Path
    ready: Path

    @classmethod
    def started(cls, keys: dict[str, Path], log: Path, settings: Mapping[str, str]) -> "Process":
        ready = log.with_suffix(".ready")
        env = {name: value for name, value in os.environ.items() if name != "SITTER_ROOT_KEYS"}
        env |= {
            "SITTER_ROLE": "gpu",
            "SITTER_FLEET_KEYS": str(keys["FLEET_KEYS"]),
            "SITTER_LOG_LEVEL": "INFO",
            "SITTER_READY_FILE": str(ready),
            **{f"SITTER_{name}": value for name, value in settings.items()},
        }
        command = [
            *(sys.executable, "-m", "celery", "-A", "workers.app", "worker", "-Q", "gpu"),
            *("-P", "threads", "-c", "1", "-n", f"{log.stem}@%h"),
            *("--without-gossip", "--without-mingle", "--include", "deploy.stack.announce"),
        ]
        with log.open("wb") as out:
            process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out)
        return cls(process, log, ready)

    def begun(self) -> "Process":
        """Wait until it takes work."""

        def look() -> bool:
            assert self.process.poll() is None, self.log.read_text()
            return self.ready.exists()

        wait("the worker is ready", look, seconds=90)
        return self

    def send(self, number: Signals = SIGTERM) -> None:
        self.process.send_signal(number)

    def ended(self, seconds: float = 30.0) -> int:
        """Its exit status."""
        return self.process.wait(seconds)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(SIGKILL)
        self.process.wait(20)

    def events(self, name: str) -> list[dict[str, Any]]:
        """What it logged under that name."""
        found = []
        for line in self.log.read_text("utf-8", "replace").splitlines():
            with suppress(ValueError):
                event = json.loads(line)
                if isinstance(event, dict) and event.get("event") == name:
                    found.append(event)
        return found


def portraits(job: Job) -> int:
    """How many exist of a job."""
    return Portrait.objects.filter(item__job=job).count()


def opened(data: bytes) -> Image.Image:
    """A stored picture."""
    with Image.open(io.BytesIO(data)) as found:
        found.load()
        return found
