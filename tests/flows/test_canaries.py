"""Where a person's bytes can be read in clear: by their owner, and nowhere else, at any time."""

import io
import os
import secrets
import tempfile
import time
import uuid
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from threading import Event, Thread

import psycopg
import pytest
import redis
from PIL import Image

from deploy.env import Role
from deploy.prove import look
from deploy.prove.behind import Behind
from deploy.prove.marks import BLOCK, Marks, likeness, marked_jpeg, marked_png, slices, token
from deploy.prove.places import Places
from deploy.prove.search import SHORTEST, STRIDE, Search, forms
from deploy.stack.supervisor import Stack
from privacy.retention import Kind
from tests.chaos.person import Person, say, views, wait
from tests.figures import figure
from workers import images
from workers.gate import SLOTS, Gate

CORNER = (24, 840)  # of the block, in the front view: on the coat, away from the face
PAINTED = 1024


def points(data: bytes, slot: str) -> Search:
    """Looks for where the gate's networks see the eyes, nose and mouth of a photo, in any number.

    They are the nearest to a face template that this system ever computes.
    """
    gate, search = Gate(), Search()
    gate.load()
    smallest = max(24.0, SLOTS[slot].pixels * 0.4)
    found = gate.faces.find(images.decode(data)[0], smallest)[0][5:]
    assert len(found) == 10
    search.add_bytes(
        {
            f"points of {slot} {at} {kind}": found[at : at + 3].astype(kind).tobytes()
            for kind in ("<f8", "<f4", ">f8")
            for at in range(8)
        }
    )
    search.add_texts({f"points of {slot} {at}": repr(float(v)) for at, v in enumerate(found)})
    assert search.find(repr(list(map(float, found))).encode())
    assert search.find(b"before" + found.tobytes())
    return search


@dataclass
class Journey:
    """One person's way through the product, and what the search found at each station."""

    marks: Marks
    uploads: list[bytes] = field(default_factory=list)
    references: list[bytes] = field(default_factory=list)
    portrait: bytes = b""
    prompt: str = ""
    sizes: int = 0
    found: dict[str, dict[str, set[str]]] = field(default_factory=dict)
    email: dict[str, list[str]] = field(default_factory=dict)
    tables: dict[str, set[str]] = field(default_factory=dict)
    compacted_in: float = 0.0
    places: int = 0
    searched: int = 0


@pytest.fixture(scope="module")
def talkative(live: Stack) -> Stack:
    """The roles that meet the person log all that they ever would: all of this stack do."""
    for role in (Role.WEB, Role.INTAKE, Role.UPKEEP):
        given = Path(f"/proc/{live.pid(role)}/environ").read_bytes().split(b"\0")
        assert b"SITTER_LOG_LEVEL=DEBUG" in given
    return live


@pytest.fixture(scope="module")
def journey(talkative: Stack) -> Iterator[Journey]:
    """From the first upload to the receipt, with a search of every place at each station."""
    live, marks = talkative, Marks()
    way, behind, search, address = Journey(marks), Behind(live), Search(), Search()
    places = Places(live, time.time())
    search.add_texts(marks.words())
    search.add_bytes(marks.rows())
    address.add_texts({"e-mail": marks.email.partition("@")[0]})

    def station(name: str) -> None:
        began = time.monotonic()
        way.found[name], way.email[name] = {}, []
        way.places = way.searched = 0
        for sort, place, data in places:
            way.places, way.searched = way.places + 1, way.searched + len(data)
            if found := search.find(data):
                way.found[name][f"{sort} {place}"] = found
            if address.find(data):
                way.email[name].append(place)
        seconds = time.monotonic() - began
        way.tables[name] = behind.relations(way.email[name])
        say(
            f"{name}: {way.searched / 1e6:.0f} MB in {way.places} places searched in"
            f" {seconds:.1f} s; the e-mail is in {', '.join(sorted(way.tables[name]))}"
        )

    person = Person(
        live.urls.web, email=marks.email, password=marks.password, typed_name=marks.typed_name
    )
    png = marked_png(views()["front"], marks, CORNER)
    jpeg = marked_jpeg(views()["half_body"], marks)
    search.add_bytes({**slices("PNG", png), **slices("JPEG", jpeg)})
    search.join(points(png, "front"))
    search.join(points(jpeg, "half_body"))
    sets = person.new_set(keep=False), person.new_set()
    with ThreadPoolExecutor(2) as pool:
        # The intake stands still, or the uploads would be gone before anybody could look.
        live.kill_role(Role.INTAKE, SIGSTOP)
        try:
            sent = [
                pool.submit(person.put, sets[0], "front", png, "image/png"),
                pool.submit(person.put, sets[1], "half_body", jpeg),
            ]
            rows = wait(
                "both uploads are stored",
                lambda: len(found := behind.stored(person.id, Kind.UPLOAD)) == 2 and found,
            )
            way.uploads = [behind.open_with_fleet_key(row, person.id) for row in rows]
            station("uploaded")
        finally:
            live.kill_role(Role.INTAKE, SIGCONT)
        assert {answer.result(timeout=30).status_code for answer in sent} <= {200, 202}
    person.accepted(sets[0], "front")
    person.accepted(sets[1], "half_body")
    rows = behind.stored(person.id, Kind.REFERENCE)
    way.references = [behind.open_with_fleet_key(row, person.id) for row in rows]
    for number, clear in enumerate(way.references):
        search.add_bytes(slices(f"reference {number}", clear))
    station("accepted")
    told = {"style": "passthrough", "prompt": {"hair": "curly", "words": marks.prompt}}
    from_words = person.http.post(
        "/v1/jobs", json={"items": [told]}, headers={"Idempotency-Key": uuid.uuid4().hex}
    )
    (drawn,) = person.ended(from_words.json()["id"], seconds=90)["items"]
    way.prompt = person.http.get(f"/v1/portraits/{drawn['portrait']}/prompt").json()["words"]
    assert person.ended(person.submit(sets[0]), seconds=90)["state"] == "done"
    image = person.portraits()[0]["image"]
    for size in ("full", "preview", "thumb"):
        answer = person.http.get(image, params={"size": size})
        assert answer.headers["Cache-Control"].find("no-store") >= 0
        search.add_bytes(slices(f"portrait {size}", answer.content))
        way.sizes += 1
        way.portrait = way.portrait or answer.content
    station("painted")
    prefix = behind.prefix(person.id)
    person.confirm()
    person.receipt(person.erase())
    wait("the bodies leave the bucket", lambda: not behind.names_of(prefix), seconds=20)
    station("erased")
    began = time.monotonic()
    look.compact(live)
    way.compacted_in = time.monotonic() - began
    station("compacted")
    yield way
    person.close()


def texts_in(marks: Marks, picture: bytes) -> set[str]:
    """Which of the marks of metadata can be read in a picture file."""
    search = Search()
    search.add_texts({n: w for n, w in marks.words().items() if "name" not in n})
    return {found.removeprefix("compressed ").partition(" (")[0] for found in search.find(picture)}


def test_the_upload_is_there_for_whoever_holds_the_intakes_key(journey: Journey) -> None:
    png, jpeg = sorted(journey.uploads, key=lambda data: data[:1] != b"\x89")
    assert texts_in(journey.marks, png) == {"EXIF", "XMP", "PNG text", "ICC"}
    assert texts_in(journey.marks, jpeg) == {"EXIF", "XMP", "JPEG comment", "ICC"}
    with Image.open(io.BytesIO(png)) as picture:
        x, y = CORNER
        block = picture.convert("RGB").crop((x, y, x + BLOCK, y + BLOCK))
    assert block.tobytes() == journey.marks.block.tobytes()


def test_the_reference_is_the_picture_without_a_word(journey: Journey) -> None:
    x, y = CORNER
    box = (x, y, x + BLOCK, y + BLOCK)
    assert len(journey.references) == 2
    seen = [likeness(reference, journey.marks.block, box) for reference in journey.references]
    assert max(seen) > 0.8
    assert min(seen) < 0.2
    assert [texts_in(journey.marks, reference) for reference in journey.references] == [set()] * 2


def test_the_owner_reads_what_they_wrote(journey: Journey) -> None:
    assert journey.prompt == journey.marks.prompt


def test_the_owner_downloads_what_went_in(journey: Journey) -> None:
    with Image.open(io.BytesIO(views()["front"])) as view:
        width, height = view.size
    scale, (x, y) = PAINTED / width, CORNER
    top = y - (height - width) / 2
    box = (x * scale, top * scale, (x + BLOCK) * scale, (top + BLOCK) * scale)
    elsewhere = (box[0] + 500, box[1], box[2] + 500, box[3])
    seen = likeness(journey.portrait, journey.marks.block, box)
    say(f"likeness of the block in the portrait: {seen:.2f}")
    assert seen >= 0.5
    assert likeness(journey.portrait, journey.marks.block, elsewhere) < 0.2
    assert texts_in(journey.marks, journey.portrait) == set()
    assert journey.sizes == 3


@pytest.mark.parametrize("station", ["uploaded", "accepted", "painted", "erased", "compacted"])
def test_nothing_is_in_clear_anywhere_else(journey: Journey, station: str) -> None:
    assert journey.found[station] == {}


@pytest.mark.parametrize(
    ("name", "stations"),
    [
        ("E-03", ["uploaded", "accepted", "painted"]),
        ("E-02", ["erased", "compacted"]),
        ("E-07", ["uploaded", "accepted", "painted", "erased", "compacted"]),
    ],
)
def test_the_count_of_what_was_found_is_a_figure(
    journey: Journey, name: str, stations: list[str]
) -> None:
    sort = "points of" if name == "E-07" else ""
    labels = [label for at in stations for found in journey.found[at].values() for label in found]
    hits = sum(sort in label for label in labels)
    figure(
        name,
        value=hits,
        n=journey.places,
        holds=hits == 0,
        conditions="bucket, raw volumes, tables, WAL, AOF, keys, logs, mail, Flower, temporary"
        f" files; {journey.searched / 1e6:.0f} MB at {', '.join(stations)}; one person"
        + ("; the five points that the gate sees in two photos" if sort else ""),
    )
    assert hits == 0


def test_the_e_mail_lies_with_the_accounts_alone(journey: Journey) -> None:
    assert journey.email["uploaded"], "The search would find it."
    for station, found in journey.tables.items():
        assert {name.partition("_")[0] for name in found} <= {"accounts", "account", "wal"}, station


def test_the_e_mail_leaves_heap_and_wal_when_the_tables_are_rewritten(journey: Journey) -> None:
    say(f"the accounts' tables rewritten and the WAL turned over in {journey.compacted_in:.1f} s")
    assert journey.email["erased"], "Before that it is still there."
    assert journey.email["compacted"] == []


# --- The search itself -------------------------------------------------------------------------


@pytest.mark.parametrize("form", sorted(forms("x" * 32)))
def test_the_search_finds_a_mark_in_every_form(form: str) -> None:
    secret = f"Zoë {token()}"
    search = Search()
    search.add_texts({"mark": secret})
    for offset in range(STRIDE):
        hay = secrets.token_bytes(999 + offset) + forms(secret)[form] + secrets.token_bytes(999)
        assert any(f.startswith("mark (") for f in search.find(hay)), offset
    assert search.find(secrets.token_bytes(3000)) == set()


@pytest.mark.parametrize("mark", [secrets.token_bytes(SHORTEST), bytes(SHORTEST), b"ab" * 20])
def test_the_search_finds_a_mark_wherever_it_lies(mark: bytes) -> None:
    """At either end, at every distance from them, the shortest, and bytes that are all alike."""
    search = Search()
    search.add_bytes({"mark": mark})
    for before, behind in product(range(2 * STRIDE), repeat=2):
        hay = b"\x01" * before + mark + b"\x01" * behind
        assert search.find(hay) == {"mark (raw)"}, (before, behind)
        assert search.find(hay[1:] if not before else hay[: before + len(mark) - 1]) == set()


def test_a_mark_that_could_be_anything_is_refused() -> None:
    with pytest.raises(ValueError, match="too short"):
        Search().add_bytes({"mark": bytes(SHORTEST - 1)})


@pytest.mark.parametrize("bits", [15, 31])
def test_the_search_looks_into_compressed_streams(bits: int) -> None:
    secret = token()
    search = Search()
    search.add_texts({"mark": secret})
    packer = zlib.compressobj(wbits=bits)
    packed = packer.compress(b"some words, " + secret.encode() + b" and more") + packer.flush()
    assert secret.encode() not in packed
    assert "compressed mark (raw)" in search.find(b"before" * 99 + packed + b"after" * 99)


def test_the_search_finds_base64_of_a_longer_text() -> None:
    from base64 import b64encode

    secret = token()
    search = Search()
    search.add_texts({"mark": secret})
    for before in (b"", b"1", b"12"):
        assert search.find(b64encode(before + secret.encode() + b"end"))


def test_a_mark_that_was_planted_is_found_in_every_place(live: Stack) -> None:
    places = Places(live, time.time() - 1)
    marks = {n: token() for n in ("bucket", "valkey", "file", "table", "mail", "log", "temporary")}
    search = Search()
    search.add_texts(marks)
    behind = Behind(live)
    paths = {
        "file": live.folders.run / "planted",
        "mail": live.folders.mail / "planted.log",
        "log": live.folders.logs / "planted.log",
        "temporary": Path(tempfile.gettempdir()) / f"planted-{token(8)}",
    }
    admin = live.env(Role.MIGRATOR)["SITTER_DATABASE_URL"]
    with (
        redis.Redis.from_url(live.env(Role.WEB)["SITTER_BROKER_URL"]) as broker,
        psycopg.connect(admin, autocommit=True) as connection,
    ):
        try:
            for name, path in paths.items():
                path.write_text(marks[name])
            broker.hset("planted", "field", marks["valkey"])
            behind.s3.put_object(
                Bucket=behind.bucket, Key="planted/x", Body=marks["bucket"].encode()
            )
            connection.execute("CREATE TABLE planted (word text)")
            connection.execute("INSERT INTO planted VALUES (%s)", [marks["table"]])
            found = places.scan(search)
        finally:
            for path in paths.values():
                path.unlink(missing_ok=True)
            broker.delete("planted")
            behind.s3.delete_object(Bucket=behind.bucket, Key="planted/x")
            connection.execute("DROP TABLE IF EXISTS planted")
    where = {
        name: {place.split()[0] for place, seen in found.items() if f"{name} (raw)" in seen}
        for name in marks
    }
    assert all(where.values()), where
    # A bucket's object is found twice: as it is fetched, and in the raw volume on the disk.
    assert where["bucket"] == {"bucket", "volumes"}
    assert where["valkey"] == {"valkey"}


# --- While it is on its way --------------------------------------------------------------------


class Writing(Thread):
    """Watches which files a family of processes has open for writing, as fast as it can."""

    def __init__(self, *pids: int) -> None:
        super().__init__(daemon=True)
        self.pids, self.seen, self.rounds, self.over = pids, set[str](), 0, Event()
        self._known = self._open()

    def _open(self) -> set[str]:
        found = set()
        for pid in self.pids:
            for entry in os.scandir(f"/proc/{pid}/fd"):
                with suppress(OSError):
                    target = os.readlink(entry.path)
                    if not target.startswith("/") or target.startswith(("/dev/null", "/proc/")):
                        continue
                    facts = Path(f"/proc/{pid}/fdinfo/{entry.name}").read_text().splitlines()
                    flags = int(next(f for f in facts if f.startswith("flags")).split()[1], 8)
                    if flags & os.O_ACCMODE != os.O_RDONLY:
                        found.add(target)
        return found

    def run(self) -> None:
        while not self.over.is_set():
            self.seen |= self._open() - self._known
            self.rounds += 1

    def __enter__(self) -> "Writing":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.join()


def family(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(member for child in found for member in family(int(child)))]


def test_the_watch_notices_a_spooled_file() -> None:
    with (
        Writing(os.getpid()) as watch,
        tempfile.SpooledTemporaryFile(max_size=1000) as spooled,
    ):
        for _ in range(14):
            spooled.write(bytes(1_000_000))
            time.sleep(0.005)
    assert any("deleted" in name for name in watch.seen), watch.seen


def test_the_web_writes_no_byte_of_a_large_upload_to_a_file(live: Stack) -> None:
    began = time.time()
    body = b"\xff\xd8\xff\xe0" + secrets.token_bytes(14_000_000)
    search = Search()
    search.add_bytes(slices("body", body))
    person = Person(live.urls.web)
    references = person.new_set()
    with Writing(*family(live.pid(Role.WEB))) as watch:
        for _ in range(3):
            answer = person.put(references, "front", body)
            assert answer.status_code in (202, 422), answer.text
    person.close()
    say(f"{watch.rounds} looks at the web's open files during three uploads of 14 MB")
    assert watch.seen == set()
    assert watch.rounds > 100
    assert Places(live, began).scan(search) == {}
