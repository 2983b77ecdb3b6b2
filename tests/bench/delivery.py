"""What a person waits for: a poll while others poll, a photo until it is sealed and judged, a
portrait until its first byte.

The whole embedded stack runs on the machine's cores, and this client beside it. Rounds go in turns;
a load is asked for by the clock, so a late answer counts from when it was due.
"""

import http.client
import io
import os
import socket
import statistics
import tempfile
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

import boto3
import httpx
import psycopg
from PIL import Image

from deploy.demo.views import five_views
from deploy.env import ROOT, Role
from deploy.stack.supervisor import Stack
from tests.bench import report
from tests.bench.servers import UNBOUNDED, UNSEALED, Server, gunicorn

ROUNDS = 5
UPLOADS, DOWNLOADS = 6, 30
CALLERS = 8
FULL_SECONDS, HALF_SECONDS = 2.0, 5.0
PHOTO = 3_000_000
POLL, SEALED, JUDGED, FIRST = 0.050, 0.400, 1.2, 1.3
PASSWORD = "a guest, never a resident"
Numbers = dict[str, list[float]]


@dataclass
class Guest:
    """Somebody who has signed, and what is theirs."""

    http: httpx.Client
    job: str = ""
    portraits: tuple[str, ...] = ()

    @property
    def headers(self) -> dict[str, str]:
        return {"X-Session-Token": self.http.headers["X-Session-Token"]}


def run() -> None:
    """The stack, two more webs beside its own, and everything in turns."""
    with tempfile.TemporaryDirectory(prefix="sitter-") as folder, ExitStack() as until_then:
        stack = Stack(Path(folder) / "stack", preferred_ports=False, extra_env=UNBOUNDED)
        until_then.enter_context(stack)
        start = partial(_beside, stack, Path(folder), until_then)
        sealing = start("sealing", "deploy.asgi", SITTER_UPLOAD_WAIT_SECONDS="0")
        unsealed = start("unsealed", "tests.bench.unsealed")
        guest = _guest(stack.urls.web)
        _paint(guest)
        _lay_plain(stack, guest)
        ours = urlsplit(stack.urls.web).port or 0
        numbers: Numbers = defaultdict(list)
        loads: list[float] = []
        photo = _photo()
        for number in range(ROUNDS + 1):
            # The first round warms up.
            kept = numbers if number else defaultdict(list)
            loads += [os.getloadavg()[0]] if number else []
            _polls(ours, guest, kept)
            _uploads(ours, sealing, guest, photo, kept)
            _downloads(ours, unsealed, guest, kept)
    _report(numbers, loads, len(photo))


def _beside(
    stack: Stack, folder: Path, until_then: ExitStack, name: str, module: str, **extra: str
) -> int:
    """The port of one more web on the stack's services."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    env = {**stack.env(Role.WEB), **UNBOUNDED, **extra}
    what = [f"{module}:application", "-k", "deploy.server.Worker"]
    server: Server = until_then.enter_context(gunicorn(name, what, port, env, folder))
    return server.port


# --- Whose --------------------------------------------------------------------------------------


def _guest(url: str) -> Guest:
    # A line that was kept is closed by the server at any moment; what is not measured needs none.
    fresh = httpx.Limits(max_keepalive_connections=0)
    http = httpx.Client(base_url=url, timeout=60, limits=fresh)
    person = {"email": f"{uuid.uuid4().hex}@example.org", "password": PASSWORD}
    more = {"region": "eu_uk", "is_adult": True}
    made = http.post("/auth/app/v1/auth/signup", json=person | more).raise_for_status()
    http.headers["X-Session-Token"] = made.json()["meta"]["session_token"]
    asked = {"purpose": "portrait-generation", "language": "en"}
    (text,) = http.get("/v1/consents/documents", params=asked).json()
    act = {"document": text["id"], "typed_name": "Grace Hopper", "agree": True}
    http.post("/v1/consents", json=act).raise_for_status()
    return Guest(http)


def _photo() -> bytes:
    """A sharp photo of so many bytes, as a phone's camera makes it."""
    picture = Image.open(io.BytesIO(five_views(ROOT / "deploy" / "demo" / "photo.jpg")["front"]))
    large = picture.convert("RGB").resize((2560, 3000), Image.Resampling.LANCZOS)
    grain = Image.effect_noise(large.size, 24).convert("RGB")
    large = Image.blend(large, grain, 0.12)
    best = b""
    for quality in range(60, 100):
        stream = io.BytesIO()
        large.save(stream, "JPEG", quality=quality)
        best = stream.getvalue()
        if len(best) >= PHOTO:
            break
    return best


def _paint(guest: Guest) -> None:
    """A small portrait and a large one, which loses nothing."""
    prompt = {"subject": "woman"}
    items = [
        {"style": "pencil", "prompt": prompt},
        {"style": "pencil", "prompt": prompt, "large": True, "format": "png"},
    ]
    headers = {"Idempotency-Key": uuid.uuid4().hex}
    job = guest.http.post("/v1/jobs", json={"items": items}, headers=headers).raise_for_status()
    guest.job = job.json()["id"]
    while (told := guest.http.get(f"/v1/jobs/{guest.job}").json())["outcome"] is None:
        time.sleep(0.5)
    assert told["outcome"] == "complete", told
    guest.portraits = tuple(item["portrait"] for item in told["items"])


def _lay_plain(stack: Stack, guest: Guest) -> None:
    """The same bytes, unsealed, beside the sealed ones: for the web that is compared with."""
    env = stack.env(Role.WEB)
    bucket = boto3.client(
        "s3",
        endpoint_url=env["SITTER_S3_ENDPOINT_URL"],
        aws_access_key_id=env["SITTER_S3_ACCESS_KEY"],
        aws_secret_access_key=env["SITTER_S3_SECRET_KEY"],
        region_name="us-east-1",
    )
    for portrait in guest.portraits:
        body = guest.http.get(f"/v1/portraits/{portrait}/image").raise_for_status().content
        with psycopg.connect(stack.env(Role.MIGRATOR)["SITTER_DATABASE_URL"]) as connection:
            found = connection.execute(
                "SELECT b.name FROM privacy_blob b JOIN portraits_rendition r ON r.blob_id = b.id"
                " WHERE r.portrait_id = %s AND r.name = 'full'",
                [portrait],
            ).fetchone()
        assert found is not None
        name = found[0] + UNSEALED
        bucket.put_object(Bucket=env["SITTER_S3_BUCKET"], Key=name, Body=body)


# --- A poll, while others poll --------------------------------------------------------------------


def _polls(port: int, guest: Guest, numbers: Numbers) -> None:
    """As much as it can take, then half as much by the clock."""
    most = _together(port, guest, FULL_SECONDS, None)
    rate = len(most) / FULL_SECONDS / 2
    late = _together(port, guest, HALF_SECONDS, rate)
    numbers["polls a second at full load"].append(2 * rate)
    numbers["poll p99 at half load, s"].append(statistics.quantiles(late, n=100)[-1])
    numbers["poll p50 at half load, s"].append(statistics.median(late))


def _together(port: int, guest: Guest, seconds: float, rate: float | None) -> list[float]:
    """Seconds that each answer took; with a rate, from the moment when it was due."""
    taken: list[float] = []
    began = perf_counter()
    callers = [
        threading.Thread(target=_call, args=(port, guest, began, seconds, rate, number, taken))
        for number in range(CALLERS)
    ]
    for one in callers:
        one.start()
    for one in callers:
        one.join()
    return taken


def _call(
    port: int,
    guest: Guest,
    began: float,
    seconds: float,
    rate: float | None,
    number: int,
    taken: list[float],
) -> None:
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    headers, due = dict(guest.headers), began
    step = CALLERS / rate if rate else 0.0
    due += number * step / CALLERS
    while due < began + seconds and perf_counter() < began + 2 * seconds:
        if rate:
            time.sleep(max(0.0, due - perf_counter()))
        else:
            due = perf_counter()
        line.request("GET", f"/v1/jobs/{guest.job}", headers=headers)
        answer = line.getresponse()
        answer.read()
        assert answer.status in (200, 304), answer.status
        taken.append(perf_counter() - due)
        due += step
        # Every second poll knows the version already, as an app's would.
        known = headers.pop("If-None-Match", None)
        if known is None and (etag := answer.headers["ETag"]):
            headers["If-None-Match"] = etag
    line.close()


# --- A photo, until it is sealed and until it is judged -------------------------------------------


def _uploads(ours: int, sealing: int, guest: Guest, photo: bytes, numbers: Numbers) -> None:
    """In turns; the intake is idle before each."""
    for _ in range(UPLOADS):
        for what, port in (("sealed", sealing), ("judged", ours)):
            made = guest.http.post("/v1/reference-sets", json={}).raise_for_status().json()["id"]
            path = f"/v1/reference-sets/{made}/photos/front"
            headers = {**guest.headers, "Content-Type": "image/jpeg"}
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            line.connect()
            began = perf_counter()
            line.request("PUT", path, photo, headers)
            answer = line.getresponse()
            told = answer.read()
            numbers[f"upload {what}, s"].append(perf_counter() - began)
            assert answer.status == {"sealed": 202, "judged": 200}[what], told
            line.close()
            while _checking(guest, made):
                time.sleep(0.05)
            guest.http.delete(f"/v1/reference-sets/{made}").raise_for_status()


def _checking(guest: Guest, made: str) -> bool:
    photos = guest.http.get(f"/v1/reference-sets/{made}").json()["photos"]
    return any(photo["state"] == "checking" for photo in photos)


# --- The first byte of a portrait -----------------------------------------------------------------


def _downloads(ours: int, unsealed: int, guest: Guest, numbers: Numbers) -> None:
    """One after the other, sealed and unsealed by turns."""
    lines = {
        name: http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for name, port in (("sealed", ours), ("plain", unsealed))
    }
    for size, portrait in zip(("small", "large"), guest.portraits, strict=True):
        taken: Numbers = defaultdict(list)
        for _ in range(DOWNLOADS):
            for name, line in lines.items():
                taken[name].append(_first(line, guest, portrait))
        for name, values in taken.items():
            numbers[f"first byte {size} {name}, s"].append(statistics.median(values))
    for line in lines.values():
        line.close()


def _first(line: http.client.HTTPConnection, guest: Guest, portrait: str) -> float:
    began = perf_counter()
    line.request("GET", f"/v1/portraits/{portrait}/image", headers=guest.headers)
    answer = line.getresponse()
    assert (answer.status, len(answer.read(1))) == (200, 1)
    taken = perf_counter() - began
    answer.read()
    return taken


# --- What came of it ------------------------------------------------------------------------------


def _report(numbers: Numbers, loads: list[float], photo: int) -> None:
    print("| what | median | p95 | n |")
    print("|---|---|---|---|")
    for what, values in numbers.items():
        print(
            f"| {what} | {statistics.median(values):.4g} | {report.p95(values):.4g} "
            f"| {len(values)} |"
        )
    report.keep("delivery", {"numbers": numbers, "load_before_each_round": loads})
    load = f"load {min(loads):.1f} to {max(loads):.1f}"
    where = f"whole stack and client on {os.cpu_count()} cores, {load}"
    rounds = f"medians of {ROUNDS} interleaved rounds; {where}"
    say: Callable[..., None] = report.figure
    late = statistics.median(numbers["poll p99 at half load, s"])
    full = statistics.median(numbers["polls a second at full load"])
    say(
        "poll-p99",
        value=f"{late * 1e3:.0f}",
        unit="ms",
        n=ROUNDS,
        holds=late <= POLL,
        how=f"half of {full:.0f} a second, half of them 304, from when each was due; {rounds}",
    )
    sealed, judged = (report.p95(numbers[f"upload {what}, s"]) for what in ("sealed", "judged"))
    say(
        "upload",
        value=f"{sealed * 1e3:.0f} / {judged * 1e3:.0f}",
        unit="ms",
        n=ROUNDS * UPLOADS,
        holds=sealed <= SEALED and judged <= JUDGED,
        how=f"p95 until sealed / until the verdict, a photo of {photo / 1e6:.1f} MB and 7.7"
        f" megapixels, idle intake; {where}",
    )
    ratios = [
        statistics.median(numbers[f"first byte {size} sealed, s"])
        / statistics.median(numbers[f"first byte {size} plain, s"])
        for size in ("small", "large")
    ]
    say(
        "first-byte",
        value=" / ".join(f"{ratio:.2f}" for ratio in ratios),
        unit="x",
        n=ROUNDS * DOWNLOADS,
        holds=max(ratios) <= FIRST,
        how=f"a JPEG / a large PNG, over the same bytes unsealed through the same view; {rounds}",
    )
