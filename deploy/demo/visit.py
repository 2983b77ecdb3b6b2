"""From signing up to four portraits on the person's own disk."""

import hashlib
import time
from pathlib import Path
from typing import Any

from deploy.demo import sheet
from deploy.demo.errors import expect
from deploy.demo.screen import Step
from deploy.demo.views import five_views
from deploy.demo.walk import Walk, until

PHOTO = Path(__file__).with_name("photo.jpg")
SITTER = "Grace Hopper"
FOUR = 4
CHOSEN = {"subject": "woman", "hair": "curly", "expression": "smile", "clothing": "jacket"}
WAIT_ENGINE, WAIT_VERDICT, WAIT_PORTRAITS = 120.0, 60.0, 300.0


def wait_for_styles(walk: Walk, step: Step) -> None:
    """Until a worker with the engine is running: take the preferred styles, or others of it."""
    walk.api_version = walk.client.version()
    missing = f"Fewer than {FOUR} styles of the engine {walk.engine} became available."
    for passed in until(WAIT_ENGINE, 1.0, f"{missing} Is its worker running, with its weights?"):
        offered = {row["id"]: row for row in walk.client.styles() if row["engine"] == walk.engine}
        unknown = [style for style in walk.wanted if walk.strict and style not in offered]
        expect(not unknown, f"The engine {walk.engine} has no style {', '.join(unknown)}.")
        ready = [style for style in offered if offered[style]["available"]]
        chosen = [style for style in walk.wanted if style in ready]
        if not walk.strict:
            chosen += [style for style in ready if style not in chosen]
        if len(chosen) >= FOUR:
            walk.styles = {style: offered[style] for style in chosen[:FOUR]}
            break
        step.say(f"no worker has the engine {walk.engine} yet, waiting ({passed:.0f} s)")
    step.say(", ".join(walk.styles))


def sign_up(walk: Walk, step: Step) -> None:
    walk.client.sign_up(email=walk.email, password=walk.password)
    walk.signed_up = True
    walk.account = walk.client.holdings()["account"]["id"]
    step.say("a new account with an address and a password, nothing more")


def paint_somebody_else(walk: Walk, step: Step) -> None:
    """A portrait from choices alone, before anything was consented to or handed in."""
    able = [style for style, row in walk.styles.items() if "text" in row["tasks"]]
    if not able:
        step.say(f"the engine {walk.engine} paints from photos only")
        return
    job = walk.client.submit_choices(able[-1], **CHOSEN)
    for _ in until(WAIT_PORTRAITS, 0.5, "The portrait from choices was not painted in time."):
        job = walk.client.job(job["id"])
        if job["outcome"] is not None:
            break
    (item,) = job["items"]
    expect(job["outcome"] == "complete", f"The portrait from choices is {item['state']}.")
    walk.from_choices = walk.client.image(item["portrait"])
    walk.save("portrait-from-choices.jpg", walk.from_choices)
    step.say(f"{', '.join(CHOSEN.values()).replace('_', ' ')}: no photo, no consent")


def sign_consent(walk: Walk, step: Step) -> None:
    """Read the text, make sure that these words are what is signed, and sign."""
    purpose = "portrait-generation"
    found = [row for row in walk.client.documents() if row["purpose"] == purpose]
    expect(len(found) == 1, "There is not exactly one consent text for portraits in English.")
    read = found[0]
    words = hashlib.sha256(read["text"].encode()).hexdigest()
    expect(words == read["sha256"], "The consent text is not the one that its hash names.")
    entry = walk.client.sign(read["id"], typed_name=SITTER)
    expect(entry["document_sha256"] == words, "Another text was signed than the one shown.")
    step.say(f"{len(read['text'].split())} words, version {read['version']}", sha256=words)


def send_photos(walk: Walk, step: Step) -> None:
    """All five, one after the other; the gate looks at each as at anybody's."""
    walk.views = five_views(PHOTO)
    walk.set_id = walk.client.new_set()
    walk.first_sent = time.monotonic()
    seconds: dict[str, float] = {}
    for number, (slot, photo) in enumerate(walk.views.items(), 1):
        begun = time.monotonic()
        step.say(f"{number} of {len(walk.views)}: {slot}")
        verdict = walk.client.put_photo(walk.set_id, slot, photo)
        waiting = until(WAIT_VERDICT, 0.3, f"No verdict on the photo {slot} came in time.")
        while verdict["state"] == "checking":
            next(waiting)
            verdict = walk.client.photos(walk.set_id)[slot]
        said = verdict["code"] or verdict["state"]
        expect(verdict["state"] == "accepted", f"The photo {slot} was not accepted ({said}).")
        seconds[slot] = round(time.monotonic() - begun, 3)
    step.say(f"{len(seconds)} accepted", each=seconds)


def look_at_photos(walk: Walk, step: Step, before: set[str]) -> None:
    walk.bucket.recognise(before)
    count = walk.objects["with_photos"] = walk.bucket.count()
    expect(count.kinds.get("reference", 0) == len(walk.views), f"The bucket holds {count}.")
    step.say(str(count))


def follow(walk: Walk, step: Step) -> None:
    """Ask for the portraits, show each one's progress, fetch each as soon as it is there."""
    job = walk.client.submit(walk.set_id, list(walk.styles))
    for _ in until(WAIT_PORTRAITS, 0.5, "The portraits were not painted in time."):
        job = walk.client.job(job["id"])
        for item in job["items"]:
            _show(walk, step, item)
            if item["portrait"] and item["style"] not in walk.portraits:
                _fetch(walk, item)
        step.say(f"{len(walk.portraits)} of {len(walk.styles)}")
        if job["state"] not in ("queued", "running"):
            break
    codes = ", ".join(f"{item['style']}: {item['code'] or item['state']}" for item in job["items"])
    expect(job["state"] == "done", f"The job ended as {job['state']} ({codes}).")
    expect(len(walk.portraits) == FOUR, f"Not all portraits were painted ({codes}).")
    step.say(f"{FOUR} portraits", first_portrait_seconds=round(walk.first_portrait or 0, 3))


def _show(walk: Walk, step: Step, item: dict[str, Any]) -> None:
    ended = item["state"] not in ("queued", "running")
    percent = 100 if ended else item["percent"]
    word = item["state"] if ended or item["state"] == "queued" else item["phase"]
    step.bar(walk.styles[item["style"]]["name"], percent, word)


def _fetch(walk: Walk, item: dict[str, Any]) -> None:
    style = item["style"]
    walk.portraits[style] = walk.client.image(item["portrait"])
    if walk.first_portrait is None:
        walk.first_portrait = time.monotonic() - walk.first_sent
    walk.save(f"portrait-{style}.jpg", walk.portraits[style])


def hang(walk: Walk, step: Step) -> None:
    """The contact sheet."""
    portraits = [(walk.styles[style]["name"], walk.portraits[style]) for style in walk.styles]
    source = f"a US Navy public-domain photo of {SITTER}"
    if walk.from_choices is not None:
        portraits.append(("From choices alone", walk.from_choices))
    body = sheet.make(
        [("The photo", walk.views["front"]), *portraits],
        f"painted by the {walk.engine} engine, from {source}",
    )
    walk.save("sheet.jpg", body)
    step.say("sheet.jpg")
