"""Pictures in memory: opened by the sandboxed child, rebuilt and encoded by the workers.

It owns the decoding of a stranger's file (`decode`, called in the child only), the rebuilding from
bare pixels, after which nothing of the file is left but what it shows, and our own encodings. It
refuses every file that is not one still photo in one of four formats. No file, no clock, no log.
"""

import contextlib
import io
import re
import warnings
from typing import Any

import pi_heif
from PIL import Image, ImageCms, JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin

from portraits.provenance import XMP
from workers.sandbox import (
    MAX_PIXELS,
    MAX_SIDE,
    MIN_SIDE,
    AnimatedImage,
    Decoded,
    DecodeFailed,
    EmptyFile,
    NotAnImage,
    NotAPhoto,
    TooManyPixels,
    TooSmall,
    TruncatedImage,
    UnsupportedFormat,
)

MAX_DEEP_PIXELS = 30_000_000
# The decoders that may ever run; importing them here is what registers them with Pillow.
DECODERS = (JpegImagePlugin, MpoImagePlugin, PngImagePlugin, WebPImagePlugin)
OPENERS = {"JPEG": ("JPEG",), "PNG": ("PNG",), "WEBP": ("WEBP",), "HEIC": ("HEIF",)}
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"mif1"}
MOVING_BRANDS = {b"hevc", b"hevx", b"msf1"}
# Pictures that people do have, and that deserve a better answer than "not a picture".
OTHER_PICTURES = re.compile(
    rb"GIF8[79]a|II[*+]\0|MM\0[*+]|BM....\0\0\0\0|8BPS|\xff\x0a|\0\0\0\x0cJXL |\0\0\0\x0cjP  |"
    rb"%PDF-|\0\0\x01\0|FUJIFILM|qoif|\s*(<\?xml[^>]*>\s*)?<svg",
    re.DOTALL,
)
# What an EXIF orientation asks for; 1 and everything unknown ask for nothing.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
ORIENTATION = 0x0112
_srgb = ImageCms.createProfile("sRGB")


def sniff(data: bytes) -> str:
    """The format by the file's first bytes; names and declared types are never asked."""
    if not data:
        raise EmptyFile
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp":
        return _sniff_heif(data)
    raise UnsupportedFormat if OTHER_PICTURES.match(data[:512]) else NotAnImage


def _sniff_heif(data: bytes) -> str:
    """HEIC and AVIF share their container; only the brands tell them apart."""
    length = min(int.from_bytes(data[:4], "big"), 256)
    brands = {data[8:12], *(data[i : i + 4] for i in range(16, length, 4))}
    if data[8:12] in MOVING_BRANDS:
        raise AnimatedImage
    if data[8:12] in HEIC_BRANDS and brands & (HEIC_BRANDS - {b"mif1"}):
        return "HEIC"
    raise UnsupportedFormat


def decode(data: bytes) -> tuple[Image.Image, str]:
    """Bare upright sRGB pixels of a stranger's file and its format. Only for the child.

    A file whose first bytes promise a photo and which then cannot be read is damaged: Pillow has
    a dozen exceptions for that, so everything but a refusal and a lack of memory means it.
    """
    kind = sniff(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _decode(data, kind), kind
    except (NotAPhoto, MemoryError):
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise TooManyPixels from None
    except Exception:  # noqa: BLE001 - see the docstring
        raise TruncatedImage from None


def _decode(data: bytes, kind: str) -> Image.Image:
    if kind == "WEBP":
        _check_webp(data)
    with Image.open(io.BytesIO(data), formats=OPENERS[kind]) as picture:
        _check_size(picture.width, picture.height)
        _check_depth(picture)
        if kind in {"PNG", "WEBP"} and getattr(picture, "n_frames", 1) > 1:
            raise AnimatedImage
        profile = picture.info.get("icc_profile")
        # JPEG can be decoded at a half or a quarter; what is thrown away needs no memory.
        picture.draft(None, (MAX_SIDE, MAX_SIDE))
        picture.load()
        turn = _turn(picture)
        flat = _shrink(_flatten(picture))
    if turn is not None:
        flat = flat.transpose(turn)
    return bare(_to_srgb(flat, profile))


def _check_webp(data: bytes) -> None:
    """Pillow allocates a WebP's canvas when it opens it, so the header is read before that."""
    chunk, body = data[12:16], data[20:30]
    if len(body) < 10:
        raise TruncatedImage
    if chunk == b"VP8X":
        width = 1 + int.from_bytes(body[4:7], "little")
        height = 1 + int.from_bytes(body[7:10], "little")
    elif chunk == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        width, height = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    else:
        width = int.from_bytes(body[6:8], "little") & 0x3FFF
        height = int.from_bytes(body[8:10], "little") & 0x3FFF
    if width * height > MAX_PIXELS:
        raise TooManyPixels
    if chunk == b"VP8X" and body[0] & 2:
        raise AnimatedImage


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise TooManyPixels
    if min(width, height) < MIN_SIDE or min(width, height) * 4 < max(width, height):
        raise TooSmall


def _check_depth(picture: Image.Image) -> None:
    """Cameras write HEIC of ten bits, which is decoded into two bytes a value: 33 megapixels of it
    take more than a child may have, and that is better said before than after four seconds."""
    deep = int(picture.info.get("bit_depth") or 8) > 8
    if deep and picture.width * picture.height > MAX_DEEP_PIXELS:
        raise DecodeFailed


def _turn(picture: Image.Image) -> Image.Transpose | None:
    """A broken EXIF block costs a photo its orientation, not its place."""
    try:
        return TURNS.get(picture.getexif().get(ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - see the docstring; Pillow raises half a dozen kinds
        return None


def _flatten(picture: Image.Image) -> Image.Image:
    """One of L, RGB and CMYK, eight bits a channel; what is transparent becomes white."""
    if picture.mode.startswith("I;16"):
        # The high byte of every pair: a conversion would clip, or take four times the memory.
        high = 0 if picture.mode.endswith("B") else 1
        return Image.frombytes("L", picture.size, picture.tobytes()[high::2])
    if picture.has_transparency_data:
        # Premultiplied and shrunk before it meets the paper: three full copies would not fit.
        layer = _shrink(picture.convert("RGBA").convert("RGBa")).convert("RGBA")
        paper = Image.new("RGB", layer.size, "white")
        paper.paste(layer, mask=layer)
        return paper
    if picture.mode in {"L", "RGB", "CMYK"}:
        return picture
    return picture.convert("L" if picture.mode == "1" else "RGB")


def _shrink(picture: Image.Image) -> Image.Image:
    """At most MAX_SIDE on the longer side, in the same proportions; never larger than before."""
    scale = MAX_SIDE / max(picture.size)
    if scale >= 1:
        return picture.copy()
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _to_srgb(picture: Image.Image, profile: object) -> Image.Image:
    """A profile that does not fit its picture is ignored, as every viewer does."""
    if isinstance(profile, bytes) and profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(picture, source, _srgb, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None
        if converted is not None:
            return converted
    return picture.convert("RGB")


def warm() -> None:
    """Decodes one small picture of each kind, so that the child needs no further file.

    Pillow imports on first use, and a walled-in child can open nothing any more.
    """
    pi_heif.register_heif_opener(thumbnails=False)
    pi_heif.options.DECODE_THREADS = 1
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    Image.preinit()
    profile = ImageCms.ImageCmsProfile(_srgb).tobytes()
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    broken = [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)]
    for kind, mode in (("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGBA"), ("WEBP", "RGBA")):
        stream = io.BytesIO()
        icc = profile if mode.startswith("RGB") else None
        Image.new(mode, (256, 300)).save(stream, kind, exif=exif, icc_profile=icc)
        decode(stream.getvalue())
        broken.append(stream.getvalue()[:-20])
    for data in broken:
        # A refusal has imports of its own.
        with contextlib.suppress(NotAPhoto):
            decode(data)


def bare(picture: Image.Image) -> Image.Image:
    """The pixels alone: no EXIF, profile, comment, XMP or thumbnail comes along."""
    return Image.frombytes(picture.mode, picture.size, picture.tobytes())


def rebuild(decoded: Decoded) -> Image.Image:
    """A picture from what the child sent back."""
    return Image.frombytes("RGB", (decoded.width, decoded.height), decoded.rgb)


def encode_reference(picture: Image.Image) -> bytes:
    """The only copy of a photo that is kept: a JPEG of pixels, with the colour at full size."""
    stream = io.BytesIO()
    bare(picture.convert("RGB")).save(stream, "JPEG", quality=92, subsampling=0)
    return stream.getvalue()


def open_reference(data: bytes) -> Image.Image:
    """Opens what `encode_reference` wrote; it came out of our own seal and needs no sandbox."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as picture:
        return bare(picture.convert("RGB"))


def open_portrait(data: bytes) -> Image.Image:
    """Opens what `encoded` wrote, for the same reason."""
    with Image.open(io.BytesIO(data), formats=("JPEG", "PNG", "WEBP", "AVIF")) as picture:
        return bare(picture.convert("RGB"))


def encode_portrait(picture: Image.Image, kind: str = "JPEG", quality: int = 95) -> bytes:
    """A finished portrait without metadata; its marking is added by provenance, not here."""
    return encoded(bare(picture.convert("RGB")), kind, quality)


def encoded(bared: Image.Image, kind: str, quality: int) -> bytes:
    """Bare pixels in one of our formats."""
    options: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": quality, "subsampling": 0},
        # A photo gets an eighth smaller at Pillow's own level, for five times the processor time.
        "PNG": {"compress_level": 1},
        # Their containers are rebuilt by whoever adds to them later; their encoders do it at once.
        "WEBP": {"quality": quality, "method": 4, "xmp": XMP},
        # Slower settings save a tenth of the bytes for several times the processor time.
        "AVIF": {"quality": quality - 10, "speed": 8, "max_threads": 1, "xmp": XMP},
    }
    stream = io.BytesIO()
    bared.save(stream, kind, **options[kind])
    return stream.getvalue()
