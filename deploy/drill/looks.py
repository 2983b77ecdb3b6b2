"""The looks of the drill: into the backup, and at everybody once the way back is done."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from pyrage import x25519

from deploy.drill import backup
from deploy.drill.cast import Cast
from deploy.drill.story import Pair, Story
from deploy.env import Role
from deploy.prove.look import Result
from deploy.prove.search import Search
from deploy.stack.folders import KEYS

# Every address of the drill's people ends so.
ADDRESSES: Final = "@drill.example.org"
OVERLAP: Final = 256

_ALIVE: Final = """
    SELECT count(DISTINCT id) FROM (
        SELECT owner_id AS id FROM privacy_ownerkey WHERE destroyed_at IS NULL
        UNION ALL SELECT id FROM accounts_user
        UNION ALL SELECT owner_id FROM privacy_blob WHERE state <> 'shredded'
    ) AS there WHERE id = ANY(%s::uuid[])
"""
_PROVED: Final = """
    SELECT count(*) FROM privacy_erasure WHERE stage = 'proved' AND id = ANY(%s::uuid[])
"""
_ENDED: Final = """
    SELECT count(*) FROM portraits_item AS item JOIN portraits_job AS job ON job.id = item.job_id
    WHERE job.id = ANY(%s::uuid[]) AND item.state = 'cancelled' AND item.code = 'restored'
"""
_OPEN: Final = "SELECT count(*) FROM portraits_job WHERE state IN ('queued', 'running')"
_LATER: Final = "SELECT count(*) FROM privacy_blob WHERE id = ANY(%s::uuid[]) AND expires_at > %s"
_SESSIONS: Final = "SELECT count(*) FROM accounts_session"


def alive(cast: Cast, story: Story) -> int:
    """How many of those who left have an account, a key or a body."""
    return cast.number(_ALIVE, [who for who, _ in story.leavers])


def proved(cast: Cast, story: Story) -> int:
    """How many of their erasures have come to a receipt."""
    return cast.number(_PROVED, story.receipts)


def into_backup(file: Path, identity: x25519.Identity, keys: Path) -> list[Result]:
    """No key is in it, and nobody can read it; that it holds people at all is the control."""
    secrets = {
        f"{sort}/{key.name}": key.read_bytes()
        for sort in KEYS
        for key in keys.glob(f"{sort}/*.key")
    }
    inside, people = Search(), Search()
    inside.add_bytes(secrets)
    people.add_texts({"an address": ADDRESSES})
    found: set[str] = set()
    readable, size = False, 0
    for piece in _overlapping(backup.text(file, identity)):
        found |= inside.find(piece, inflate=False)
        readable = readable or bool(people.find(piece, inflate=False))
        size += len(piece)
    sealed = file.read_bytes()
    leaks = people.find(sealed) | inside.find(sealed)
    none = f"none of {len(secrets)} keys in {size / 1e6:.1f} MB of SQL"
    return [
        Result("backup.control", readable, "decrypted, it does hold people"),
        Result("backup.no_keys", bool(secrets) and not found, _or(none, found), len(secrets)),
        Result("backup.encrypted", not leaks, _or("as it lies, it says nothing", leaks)),
    ]


def _overlapping(pieces: Iterator[bytes]) -> Iterator[bytes]:
    before = b""
    for piece in pieces:
        yield before + piece
        before = piece[-OVERLAP:]


def _or(said: str, found: set[str]) -> str:
    return f"FOUND {', '.join(sorted(found)[:3])}" if found else said


def afterwards(cast: Cast, story: Story, told: Callable[[int], None]) -> list[Result]:
    """What must live opens, what was ended has ended, and nobody is signed in."""
    gone: list[Pair] = story.leavers + story.withdrawers
    opened = cast.act(Role.WEB, "opens", story.living, heard=told)
    dead = cast.act(Role.WEB, "opens", gone)
    again = proved(cast, story)
    ended, still_open = cast.number(_ENDED, story.waiting), cast.number(_OPEN)
    late = cast.number(_LATER, [blob for _, blob in story.shorteners], story.ends)
    sessions = cast.number(_SESSIONS)
    waiting, living, all_receipts = len(story.waiting), len(story.living), len(story.receipts)
    return [
        Result("living.open", opened == living, f"{opened} of {living} portraits", living),
        Result("ended.stays_dead", dead == 0, f"{dead} of {len(gone)} portraits open", len(gone)),
        Result(
            "receipts", again == all_receipts, f"{again} of {all_receipts}, under the same ids",
            all_receipts,
        ),
        Result(
            "jobs.cancelled", ended == waiting and not still_open,
            f"{ended} of {waiting} ended as restored, {still_open} are open", waiting,
        ),
        Result(
            "deadlines", late == 0, f"{late} of {len(story.shorteners)} live longer than was said",
            len(story.shorteners),
        ),
        Result("signed_out", sessions == 0, f"{sessions} sessions"),
    ]  # fmt: skip
