"""The canary person: marks in all that they give, one way through the product, and out again.

They go over the public API alone, as an app would. What they gave and what they legitimately got
back is what the search looks for; that both were found where their owner sees them is the control
without which an empty search would prove nothing.
"""

import io
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.demo.client import Client
from deploy.demo.errors import expect
from deploy.demo.views import five_views
from deploy.demo.walk import until
from deploy.env import ROOT
from deploy.prove.marks import Marks, likeness, marked_jpeg, marked_png, slices, token
from deploy.prove.search import Search

PHOTO: Path = ROOT / "deploy" / "demo" / "photo.jpg"
STYLE = "pencil"
CORNER = (24, 840)  # of the block, in the front view: on the coat, away from the face
WAIT = 120.0


@dataclass
class Canary:
    """One person; `search` grows with everything that they hand in and get back."""

    client: Client
    marks: Marks = field(default_factory=Marks)
    words: str = field(default_factory=lambda: f"my face, {token()}")
    search: Search = field(default_factory=Search)
    # The address lies with the accounts until they are erased and compacted.
    address: Search = field(default_factory=Search)
    controls: dict[str, bool] = field(default_factory=dict)
    receipt: dict[str, Any] = field(default_factory=dict)
    export: str = ""

    def __post_init__(self) -> None:
        self.search.add_texts({**self.marks.words(), "claim": self.words})
        self.search.add_bytes(self.marks.rows())
        self.address.add_texts({"e-mail": self.marks.email.partition("@")[0]})

    def live(self) -> None:
        """Sign up, consent, hand in two marked photos, have one portrait painted, report a face."""
        self.client.sign_up(email=self.marks.email, password=self.marks.password)
        for purpose in ("portrait-generation", "reference-keeping"):
            [text] = [row for row in self.client.documents() if row["purpose"] == purpose]
            self.client.sign(text["id"], typed_name=self.marks.typed_name)
        views = five_views(PHOTO)
        png = marked_png(views["front"], self.marks, CORNER)
        jpeg = marked_jpeg(views["half_body"], self.marks)
        self._control("marks in the photos", png, {"EXIF", "XMP", "PNG text", "ICC"})
        self._control("marks in the photos, JPEG", jpeg, {"EXIF", "XMP", "JPEG comment", "ICC"})
        self.search.add_bytes({**slices("PNG", png), **slices("JPEG", jpeg)})
        # Kept beyond its job, so that there is something to export.
        references = self.client.new_set(keep_hours=24)
        self._hand_in(references, "front", png, "image/png")
        self._hand_in(references, "half_body", jpeg, "image/jpeg")
        job = self.client.submit(references, [STYLE])
        for _ in until(WAIT, 0.3, "The portrait was not painted in time."):
            job = self.client.job(job["id"])
            if job["state"] not in ("queued", "running"):
                break
        expect(job["state"] == "done", f"The job ended as {job['state']}.")
        portrait = job["items"][0]["portrait"]
        self.search.add_bytes(slices("portrait", self.client.image(portrait)))
        self.client.report_face(self.marks.email, self.words)

    def _hand_in(self, references: str, slot: str, photo: bytes, media: str) -> None:
        verdict = self.client.put_photo(references, slot, photo, media=media)
        for _ in until(WAIT, 0.3, f"No verdict on the photo {slot} came in time."):
            if verdict["state"] != "checking":
                break
            verdict = self.client.photos(references)[slot]
        said = verdict["code"] or verdict["state"]
        expect(verdict["state"] == "accepted", f"The photo {slot} was not accepted ({said}).")

    def take_out(self) -> None:
        """Export everything, and find there what was given: the photos and the typed name."""
        self.client.confirm_password(self.marks.password)
        self.export = self.client.ask_export()
        for _ in until(WAIT, 0.3, "The export was not ready in time."):
            if self.client.export(self.export)["state"] == "ready":
                break
        with zipfile.ZipFile(io.BytesIO(self.client.archive(self.export))) as archive:
            bodies = {name: archive.read(name) for name in archive.namelist()}
        photos = [body for name, body in bodies.items() if name.startswith("photos/")]
        for number, photo in enumerate(photos):
            self.search.add_bytes(slices(f"reference {number}", photo))
        x, y = CORNER
        box = (x, y, x + len(self.marks.block), y + len(self.marks.block))
        seen = max((likeness(photo, self.marks.block, box) for photo in photos), default=0.0)
        self.controls["the block in the exported photo"] = seen > 0.8
        releases = b"".join(b for name, b in bodies.items() if name.startswith("releases/"))
        self._control("the typed name in the exported release", releases, {"name's end"})

    def leave(self) -> float:
        """Erase everything; returns the seconds to the signed receipt."""
        self.client.confirm_password(self.marks.password)
        begun = time.monotonic()
        erasure = self.client.erase_me()
        for _ in until(WAIT, 0.1, "The erasure was not proved in time."):
            found = self.client.erasure(erasure)
            if found["stage"] == "proved":
                break
        self.receipt = found["receipt"]
        return time.monotonic() - begun

    def _control(self, name: str, body: bytes, wanted: set[str]) -> None:
        seen = {label.removeprefix("compressed ").partition(" (")[0] for label in self._find(body)}
        self.controls[name] = wanted <= seen

    def _find(self, body: bytes) -> set[str]:
        return self.search.find(body)
