"""The demo: one person signs up, is painted four times, and leaves without a trace.

Run it as `python -m deploy.stack run -- python -m deploy.demo.journey`, or beside a stack that
runs, with SITTER_URL and SITTER_STACK_STATE set. It exits with 0 only if every promise held.
"""

import argparse
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from rich.console import Console

from deploy.demo import farewell, visit
from deploy.demo.bucket import Bucket
from deploy.demo.client import Client
from deploy.demo.errors import DemoError
from deploy.demo.screen import Screen, Step
from deploy.demo.walk import Walk

OUT = Path(__file__).resolve().parents[2] / "var" / "demo"
PREFERRED = ("pencil", "watercolour", "comic", "linocut")
LIBRARIES = ("boto3", "cryptography", "httpx", "pillow", "rich")
MADE = ("portrait-*.jpg", "sheet.jpg", "journey.json", "receipt.json", "sitter-keys.json")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    screen = Screen(Console())
    try:
        walk = _prepare(options, screen)
    except (DemoError, OSError) as error:
        return _fail(screen, str(error))
    reason = _attempt(walk)
    try:
        _write_down(walk, reason)
    except OSError as failure:
        return _fail(screen, f"journey.json cannot be written: {failure.strerror}.")
    finally:
        walk.client.close()
    if reason is not None:
        return _fail(screen, reason)
    _sum_up(walk)
    if options.stay:
        screen.show("\nEverything stays up. Ctrl-C ends it.")
        signal.pause()
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m deploy.demo.journey", description=__doc__)
    parser.add_argument("--styles", type=_styles, help="four styles, such as oil,pencil,comic,riso")
    parser.add_argument("--engine", default="pocket", help="whose styles; pocket needs no GPU")
    parser.add_argument("--out", type=Path, default=OUT, help="where the pictures go")
    parser.add_argument("--stay", action="store_true", help="wait for Ctrl-C at the end")
    return parser.parse_args(arguments)


def _styles(text: str) -> tuple[str, ...]:
    named = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if len(named) != visit.FOUR:
        raise argparse.ArgumentTypeError(f"name {visit.FOUR} different styles, with commas")
    return named


def _prepare(options: argparse.Namespace, screen: Screen) -> Walk:
    missing = [name for name in ("SITTER_URL", "SITTER_STACK_STATE") if not os.environ.get(name)]
    if missing:
        start = "python -m deploy.stack run -- python -m deploy.demo.journey"
        raise DemoError(f"{' and '.join(missing)} is not set; start the demo as: {start}")
    options.out.mkdir(parents=True, exist_ok=True)
    # What an earlier journey left must not be mistaken for what this one made.
    for pattern in MADE:
        for old in options.out.glob(pattern):
            old.unlink()
    return Walk(
        client=Client(os.environ["SITTER_URL"]),
        bucket=Bucket(Path(os.environ["SITTER_STACK_STATE"])),
        screen=screen,
        out=options.out,
        engine=options.engine,
        wanted=options.styles or PREFERRED,
        strict=options.styles is not None,
    )


def _attempt(walk: Walk) -> str | None:
    """Why the journey ended early, or None. Nobody's account is left behind either way."""
    try:
        _go(walk)
    except DemoError as error:
        reason = str(error)
    except KeyboardInterrupt:
        reason = "Interrupted."
    except OSError as error:
        reason = f"A file cannot be written: {error.strerror}."
    else:
        return None
    if walk.signed_up and walk.erasure is None:
        _clean_up(walk)
    return reason


def _clean_up(walk: Walk) -> None:
    try:
        walk.client.confirm_password(walk.password)
        walk.erasure = walk.client.erase_me()
        walk.screen.show("The account of this journey was erased.")
    except DemoError as error:
        walk.screen.show(f"The account of this journey could not be erased: {error}")


def _go(walk: Walk) -> None:
    def step(name: str, act: Callable[[Walk, Step], None]) -> None:
        with walk.screen.step(name) as shown:
            act(walk, shown)

    step("Wait for the painter", visit.wait_for_styles)
    with walk.screen.step("Count what the bucket holds") as shown:
        before = set(walk.bucket.sizes())
        walk.objects["before"] = walk.bucket.count()
        shown.say(f"{len(before)} objects")
    step("Sign up", visit.sign_up)
    step("Have somebody painted from choices alone", visit.paint_somebody_else)
    step("Read and sign the consent", visit.sign_consent)
    step("Send five photos", visit.send_photos)
    with walk.screen.step("Find the photos in the bucket") as shown:
        visit.look_at_photos(walk, shown, before)
    step("Have four portraits painted", visit.follow)
    step("Hang them on one sheet", visit.hang)
    step("See the photos go", farewell.watch_photos_go)
    with walk.screen.step("Look into the bucket") as shown:
        table = farewell.look_into_bucket(walk, shown)
    walk.screen.show("", table, "")
    step("Erase the account", farewell.erase)
    step("Verify the receipt", farewell.check_receipt)
    step("Look for what is left", farewell.find_nothing)
    step("Try the doors", farewell.find_doors_shut)


def _write_down(walk: Walk, reason: str | None) -> None:
    story: dict[str, Any] = {
        "held": reason is None,
        "error": reason,
        "seconds": round(time.monotonic() - walk.screen.begun, 3),
        "first_portrait_seconds": walk.first_portrait and round(walk.first_portrait, 3),
        "steps": walk.screen.steps,
        "objects": {when: count.as_json() for when, count in walk.objects.items()},
        "styles": {style: row["version"] for style, row in walk.styles.items()},
        "engine": walk.engine,
        "versions": {
            "api": walk.api_version,
            "python": platform.python_version(),
            **{name: version(name) for name in LIBRARIES},
        },
    }
    walk.save_json("journey.json", story)


def _sum_up(walk: Walk) -> None:
    seconds = time.monotonic() - walk.screen.begun
    walk.screen.show(
        "",
        "[bold]Everything held.[/]",
        f"  pictures             {walk.out}",
        f"  selfie to portrait   {walk.first_portrait:.1f} s",
        f"  the whole journey    {seconds:.1f} s",
    )


def _fail(screen: Screen, sentence: str) -> int:
    screen.rest()
    Console(stderr=True).print(sentence, style="red", markup=False, soft_wrap=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
