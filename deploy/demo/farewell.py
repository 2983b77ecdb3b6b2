"""What the bucket held, and the proof that it holds nothing any more."""

from collections.abc import Callable

from rich.table import Table

from deploy.demo import noise, receipt
from deploy.demo.bucket import SEAL
from deploy.demo.errors import NotHeld, Refused, expect
from deploy.demo.screen import Step
from deploy.demo.walk import Walk, until

# The reaper runs every ten seconds; twice that is late.
WAIT_REAPER, WAIT_PROOF = 25.0, 60.0
PHOTOS = ("upload", "reference")
# What an answer to a closed account may be; 429, say, would prove nothing about the account.
SHUT = (400, 401, 403)


def watch_photos_go(walk: Walk, step: Step) -> None:
    """The job has ended, so its photos go; what was noise at once now leaves the bucket, too."""
    late = "The reference photos are still in the bucket, though their job has ended."
    seen: list[int] = []
    for _ in until(WAIT_REAPER, 0.5, late):
        count = walk.bucket.count()
        left = sum(count.kinds.get(kind, 0) for kind in PHOTOS)
        if not seen or left != seen[-1]:
            seen.append(left)
        step.say(f"photos left: {' → '.join(map(str, seen))}", photos_left=seen)
        if not left:
            break
    held = walk.client.holdings()["sealed"]
    expect(not any(row["kind"] in PHOTOS for row in held), "The API still lists the photos.")
    walk.objects["after_job"] = count


def look_into_bucket(walk: Walk, step: Step) -> Table:
    """Every body is noise; the one of a portrait is shown beside what its owner downloads."""
    mine = walk.bucket.mine()
    style, picture = next(iter(walk.portraits.items()))
    same = [n for n in mine if n.startswith("portrait/") and mine[n] == len(picture) + SEAL]
    expect(bool(same), "No object in the bucket has the length of the sealed portrait.")
    bits = 0.0
    for name in mine:
        found = noise.expect_noise(walk.bucket.read(name), name)
        bits = found if name == same[0] else bits
    expect(noise.picture_kind(picture) == "JPEG", "What the owner downloads is no JPEG.")
    sealed = walk.bucket.read(same[0])
    step.say(
        f"{len(mine)} objects, all noise ({bits:.3f} bits a byte)",
        entropy_bits=round(bits, 4),
        bucket_begins=sealed[:48].hex(" "),
        download_begins=picture[:48].hex(" "),
    )
    table = Table(box=None, padding=(0, 4, 0, 0), pad_edge=False)
    table.add_column("In the bucket: noise", style="red", no_wrap=True)
    table.add_column(f"What the owner downloads: {style}", style="green", no_wrap=True)
    table.add_row(noise.hexdump(sealed), noise.hexdump(picture))
    return table


def erase(walk: Walk, step: Step) -> None:
    """Confirm the password, ask, and wait for the proof."""
    walk.client.confirm_password(walk.password)
    walk.erasure = walk.client.erase_me()
    for _ in until(WAIT_PROOF, 0.2, "The erasure was not proved in time."):
        found = walk.client.erasure(walk.erasure)
        step.say(f"stage: {found['stage']}")
        if found["stage"] == "proved":
            break
    walk.save_json("receipt.json", found["receipt"])


def check_receipt(walk: Walk, step: Step) -> None:
    """With the published key, as a stranger would; and no copy with a changed byte passes."""
    expect(walk.erasure is not None, "There is no erasure.")
    found = walk.client.erasure(walk.erasure or "")["receipt"]
    published = walk.client.receipt_keys()
    walk.save_json("sitter-keys.json", {"ed25519": published})
    receipt.verify(found, published)
    expect(receipt.names_person(found, walk.account), "The receipt is about somebody else.")
    refused = receipt.refuse_changes(found, published)
    step.say(
        f"signed; {refused} copies with one changed byte refused",
        key=found["statement"]["key"],
        changed_copies_refused=refused,
    )


def find_nothing(walk: Walk, step: Step) -> None:
    count = walk.objects["after_erasure"] = walk.bucket.count()
    expect(count.person == 0, f"The bucket still holds {count}.")
    before = walk.objects["before"].all
    step.say(f"objects of this person: 0; in all {before} before, {count.all} now")


def find_doors_shut(walk: Walk, step: Step) -> None:
    """Neither the session nor the password opens anything."""
    session = _refused(walk.client.holdings)
    expect(session.status == 401, f"The old session got {session.status} and not 401.")
    walk.client.forget_session()
    login = _refused(lambda: walk.client.sign_in(email=walk.email, password=walk.password))
    expect(login.status in SHUT, f"Signing in was not refused as it should be ({login}).")
    step.say("session and password refused", session=session.code, sign_in=login.code)


def _refused(ask: Callable[[], object]) -> Refused:
    try:
        ask()
    except Refused as refused:
        return refused
    raise NotHeld("An erased account was let in.")
