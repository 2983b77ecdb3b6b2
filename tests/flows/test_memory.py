"""A face is gone from every process's memory a few seconds after its job has ended.

The photo has noise all over, so that no part of it can be anywhere by chance. Looked for are what
was sent, its pixels as they travel and as Pillow keeps them, the reference and the portraits.
"""

import io
import os
import secrets
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from signal import SIGCONT, SIGSTOP

import numpy as np
import pytest
from PIL import Image

from deploy.env import Role
from deploy.prove import memory
from deploy.prove.behind import Behind
from deploy.stack.supervisor import Stack
from privacy.retention import Kind
from tests.chaos.person import STYLE, Person, say, views, wait
from tests.figures import figure

PATTERN = 4096
AFTER = 5.0
ROLES = (Role.WEB, Role.INTAKE, Role.GPU)


def noisy(view: bytes) -> bytes:
    """The view as a PNG, under noise that no other picture has."""
    with Image.open(io.BytesIO(view)) as opened:
        pixels = np.asarray(opened.convert("RGB"), np.int16)
    noise = np.frombuffer(secrets.token_bytes(pixels.size), np.uint8).reshape(pixels.shape) % 25
    stream = io.BytesIO()
    Image.fromarray(np.clip(pixels + noise - 12, 0, 255).astype(np.uint8)).save(stream, "PNG")
    return stream.getvalue()


def file_needles(name: str, data: bytes) -> dict[str, bytes]:
    """Three pieces of a file, from well inside its compressed part."""
    places = [len(data) * part // 4 for part in (1, 2, 3)]
    return {f"{name} file at {at}": data[at : at + PATTERN] for at in places}


def pixel_needles(name: str, data: bytes) -> dict[str, bytes]:
    """Two runs of pixels, packed as numpy has them and padded as Pillow has them."""
    with Image.open(io.BytesIO(data)) as opened:
        whole = opened.convert("RGB")
    # Pillow keeps every row for itself, so the padded needle is one row, without its ends.
    rows = {part: whole.crop((0, y, whole.width, y + 8)) for part, y in _rows(whole).items()}
    found = {}
    for part, row in rows.items():
        packed = row.tobytes()
        padded = row.crop((0, 0, row.width, 1)).tobytes("raw", "RGBX")
        found[f"{name} pixels {part}"] = packed[:PATTERN]
        found[f"{name} padded pixels {part}"] = padded[: min(PATTERN, row.width * 4)]
    return found


def _rows(picture: Image.Image) -> dict[str, int]:
    return {"above": picture.height // 3, "below": picture.height * 2 // 3}


@dataclass(repr=False)
class Subject:
    """Somebody whose pictures are looked for, and the processes in which they might be."""

    stack: Stack
    person: Person
    photo: bytes
    needles: dict[str, bytes] = field(default_factory=dict)

    def pids(self, role: Role) -> list[int]:
        return memory.family(self.stack.pid(role))

    def look(self, *roles: Role) -> Counter[tuple[int, str]]:
        return memory.scan([pid for role in roles for pid in self.pids(role)], self.needles)

    def seen(self, *roles: Role) -> set[str]:
        return {name for _, name in self.look(*roles)}


@pytest.fixture(scope="module")
def subject(live: Stack) -> Iterator[Subject]:
    try:
        for role in ROLES:
            memory.scan(memory.family(live.pid(role)), {"nothing": secrets.token_bytes(PATTERN)})
    except memory.MemoryClosed as closed:
        pytest.skip(f"{closed} Run as root to look into the image zygote.")
    photo = noisy(views()["front"])
    needles = file_needles("upload", photo) | pixel_needles("upload", photo)
    person = Person(live.urls.web)
    yield Subject(live, person, photo, needles)
    person.close()


def half_sent(subject: Subject, over: threading.Event) -> Iterator[bytes]:
    """Most of the photo; the rest only when somebody has looked."""
    cut = len(subject.photo) * 9 // 10
    yield subject.photo[:cut]
    over.wait(30)
    yield subject.photo[cut:]


def upload(subject: Subject, set_id: str) -> dict[str, set[str]]:
    """Send the photo; returns what was seen in the web and the intake while they held it."""
    over, seen = threading.Event(), {}
    zygotes = subject.pids(Role.INTAKE)[1:]
    path = f"/v1/reference-sets/{set_id}/photos/front"
    headers = {"Content-Type": "image/png", "Content-Length": str(len(subject.photo))}
    with ThreadPoolExecutor(1) as pool:
        body = half_sent(subject, over)
        sent = pool.submit(subject.person.http.put, path, content=body, headers=headers)
        try:
            seen["web"] = wait("the web holds it", lambda: subject.seen(Role.WEB), seconds=20)
            for pid in zygotes:
                os.kill(pid, SIGSTOP)
            over.set()
            seen["intake"] = wait("the intake too", lambda: subject.seen(Role.INTAKE), seconds=20)
        finally:
            over.set()
            for pid in zygotes:
                os.kill(pid, SIGCONT)
        assert sent.result(timeout=60).status_code in (200, 202)
    subject.person.accepted(set_id)
    return seen


def reference_of(behind: Behind, subject: Subject) -> bytes:
    row = behind.stored(subject.person.id, Kind.REFERENCE)[0]
    return behind.open_with_fleet_key(row, subject.person.id)


def while_it_stands_still(subject: Subject) -> set[str]:
    """What the gpu worker holds; it would be done before it was looked through."""
    pid = subject.stack.pid(Role.GPU)
    pixels = {n: b for n, b in subject.needles.items() if n.startswith("reference padded")}
    os.kill(pid, SIGSTOP)
    try:
        return {name for _, name in memory.scan([pid], pixels)}
    finally:
        os.kill(pid, SIGCONT)


def painted(subject: Subject, set_id: str) -> set[str]:
    """A job of two portraits; returns what was seen in the gpu worker while it painted."""
    body = {"reference_set": set_id, "items": [{"style": "pencil"}, {"style": STYLE}]}
    headers = {"Idempotency-Key": secrets.token_hex(16)}
    job = Person.ok(subject.person.http.post("/v1/jobs", json=body, headers=headers))["id"]
    seen: set[str] = set()
    while (now := subject.person.job(job))["state"] in ("queued", "running"):
        if not seen and any(item["phase"] == "painting" for item in now["items"]):
            seen = while_it_stands_still(subject)
    assert subject.person.ended(job)["state"] == "done"
    return seen


def download(subject: Subject) -> list[bytes]:
    found = []
    for portrait in subject.person.portraits():
        answer = subject.person.http.get(f"/v1/portraits/{portrait['id']}/image")
        assert answer.status_code == 200, answer.text
        found.append(answer.content)
    return found


def decided(subject: Subject, set_id: str) -> bool:
    return subject.person.photo_state(set_id) not in ("checking", "accepted")


def refused(subject: Subject) -> None:
    """Two uploads that fail: a picture without a face, and the photo cut off in the middle."""
    stream = io.BytesIO()
    noise = np.frombuffer(secrets.token_bytes(3 * 400 * 400), np.uint8).reshape(400, 400, 3)
    Image.fromarray(noise).save(stream, "PNG")
    half = subject.photo[: len(subject.photo) // 2]
    subject.needles |= file_needles("faceless", stream.getvalue())
    subject.needles |= pixel_needles("faceless", stream.getvalue()) | file_needles("half", half)
    for body in (stream.getvalue(), half):
        set_id = subject.person.new_set(keep=False)
        answer = subject.person.put(set_id, "front", body, "image/png")
        assert answer.status_code in (202, 422), answer.text
        wait("it is refused", partial(decided, subject, set_id))


def test_no_picture_is_in_memory_five_seconds_after_the_job(subject: Subject) -> None:
    behind = Behind(subject.stack)
    set_id = subject.person.new_set(keep=False)
    held = upload(subject, set_id)
    reference = reference_of(behind, subject)
    subject.needles |= file_needles("reference", reference) | pixel_needles("reference", reference)
    held["gpu"] = painted(subject, set_id)
    # What was painted came back whole, so that there is something to look for.
    portraits = download(subject)
    assert len(portraits) == 2
    for number, portrait in enumerate(portraits):
        subject.needles |= file_needles(f"portrait {number}", portrait)
    refused(subject)
    time.sleep(AFTER)
    began = time.monotonic()
    left = subject.look(*ROLES)
    say(f"seen while it was held: {held}; looked for {time.monotonic() - began:.1f} s")
    # The control: each process was seen to hold a picture while it worked on it.
    assert all(held[role] for role in ("web", "intake", "gpu")), held
    figure(
        "E-08",
        value=sum(left.values()),
        unit="hits",
        n=len(subject.needles),
        holds=not left,
        conditions=f"{PATTERN} bytes of photo, reference, pixels and portraits, looked for in web,"
        f" intake with its zygote and gpu {AFTER:.0f} s after 2 portraits, 2 downloads and the last"
        " of 2 refused uploads; each was seen to hold a picture before; processor memory only",
    )
    assert left == {}
