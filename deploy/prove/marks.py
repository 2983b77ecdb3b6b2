"""Marks nobody could guess, put into everything that a person gives."""

import io
import secrets
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

Pixels = NDArray[np.uint8]
BLOCK = 64
ICC_NAME = "sRGB built-in"


def token(length: int = 32) -> str:
    return secrets.token_hex(length)[:length]


@dataclass(frozen=True)
class Marks:
    """The marks of one person."""

    exif: str = field(default_factory=token)
    comment: str = field(default_factory=token)
    xmp: str = field(default_factory=token)
    png_text: str = field(default_factory=token)
    # The profile's description has a fixed length; this one fits into it.
    icc: str = field(default_factory=lambda: token(len(ICC_NAME)))
    typed_name: str = field(default_factory=lambda: f"Zoë {token()}")
    prompt: str = field(default_factory=token)
    password: str = field(default_factory=lambda: f"Pw-{token()}")
    email: str = field(default_factory=lambda: f"c{token(24)}@example.org")
    block: Pixels = field(
        default_factory=lambda: np.frombuffer(
            secrets.token_bytes(BLOCK * BLOCK * 3), np.uint8
        ).reshape(BLOCK, BLOCK, 3)
    )

    def words(self) -> dict[str, str]:
        """What must be nowhere; the e-mail is the accounts' own and looked for apart."""
        return {
            "EXIF": self.exif,
            "JPEG comment": self.comment,
            "XMP": self.xmp,
            "PNG text": self.png_text,
            "ICC": self.icc,
            "name": self.typed_name,
            "name's end": self.typed_name.split()[1],
            "prompt": self.prompt,
            "password": self.password,
        }

    def rows(self) -> dict[str, bytes]:
        """Raw rows of the block, as RGB and as BGR."""
        picked = {n: self.block[n] for n in (0, 21, 42, 63)}
        found = {f"pixels {n}": row.tobytes()[:48] for n, row in picked.items()}
        return found | {f"pixels {n} BGR": r[:, ::-1].tobytes()[:48] for n, r in picked.items()}


def slices(name: str, data: bytes) -> dict[str, bytes]:
    """Pieces of a picture file from well inside its compressed part."""
    start = _scan(data)
    at = [start + (len(data) - start) * part // 5 for part in (1, 2, 3, 4)]
    return {f"{name} at {n}": data[n : n + 40] for n in at}


def _scan(data: bytes) -> int:
    """Where a JPEG's pixels begin, behind its certificates and their padding, which others have.

    0 for other formats; nothing that large stands before their pixels.
    """
    at = 2 if data[:2] == b"\xff\xd8" else len(data)
    while data[at : at + 1] == b"\xff":
        if data[at + 1 : at + 2] == b"\xda":
            return at
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0


def _exif(marks: Marks) -> bytes:
    exif = Image.Exif()
    exif[0x010E] = marks.exif
    return exif.tobytes()


def _xmp(marks: Marks) -> bytes:
    return f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- {marks.xmp} --></x:xmpmeta>'.encode()


def _icc(marks: Marks) -> bytes:
    plain = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    marked = plain.replace(ICC_NAME.encode("utf-16-be"), marks.icc.encode("utf-16-be"))
    if marked == plain:
        raise ValueError("The profile has no such description any more.")
    return bytes(marked)


def marked_png(view: bytes, marks: Marks, corner: tuple[int, int]) -> bytes:
    """A lossless copy of a photo with the block pasted in and a mark in every field."""
    with Image.open(io.BytesIO(view)) as opened:
        picture = opened.convert("RGB")
    picture.paste(Image.fromarray(marks.block), corner)
    info = PngInfo()
    info.add_text("Comment", marks.png_text)
    info.add_itxt("XML:com.adobe.xmp", _xmp(marks).decode())
    stream = io.BytesIO()
    picture.save(stream, "PNG", pnginfo=info, exif=_exif(marks), icc_profile=_icc(marks))
    return stream.getvalue()


def marked_jpeg(view: bytes, marks: Marks) -> bytes:
    with Image.open(io.BytesIO(view)) as opened:
        picture = opened.convert("RGB")
    stream = io.BytesIO()
    fields: dict[str, Any] = {"exif": _exif(marks), "xmp": _xmp(marks), "icc_profile": _icc(marks)}
    picture.save(stream, "JPEG", quality=92, comment=marks.comment.encode(), **fields)
    return stream.getvalue()


def likeness(picture: bytes, block: Pixels, box: tuple[float, float, float, float]) -> float:
    """How much a part of a picture looks like the block: 1 the same, 0 nothing in common."""
    grey = np.asarray(Image.fromarray(block).convert("L"), np.float64).ravel()
    best = 0.0
    with Image.open(io.BytesIO(picture)) as opened:
        whole = opened.convert("L")
    for dx, dy in ((x / 2, y / 2) for x in range(-2, 3) for y in range(-2, 3)):
        moved = (box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy)
        part = whole.resize((BLOCK, BLOCK), Image.Resampling.BICUBIC, box=moved)
        best = max(best, float(np.corrcoef(grey, np.asarray(part, np.float64).ravel())[0, 1]))
    return best
