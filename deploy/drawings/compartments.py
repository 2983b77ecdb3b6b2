"""Who has what: each role's keys, logins and ways, and what it could open with them.

From the table that the stack gives environments by, and from what the keys in it can open.
"""

from typing import Final

from deploy.drawings import svg
from deploy.stack.compartments import COMPARTMENTS
from privacy import policy

ROLES: Final = tuple(COMPARTMENTS)
KEYS: Final = ("root", "fleet", "evidence", "receipt", "grant", "c2pa")
LEFT, TOP, ROW, COLUMN = 130.0, 132.0, 30.0, 34.0


def has() -> dict[str, dict[str, bool]]:
    """What → role → whether it has it."""
    opens = policy.who_opens()
    kinds = list(dict.fromkeys(kind for found in opens.values() for kind in found))
    rows: dict[str, dict[str, bool]] = {}
    for role in ROLES:
        given = COMPARTMENTS[role]
        told = {
            "database": given.database,
            "broker": given.broker,
            "bucket": given.s3,
            "mail": given.mail,
            "the internet": given.outside,
            **{f"{key} keys": key in given.keys for key in KEYS},
            **{f"opens {kind.replace('_', ' ')}": kind in opens.get(role, ()) for kind in kinds},
        }
        for what, so in told.items():
            rows.setdefault(what, {})[role] = so
    return rows


def draw() -> str:
    """A row a role, a column a thing; a dot means that it has it."""
    rows = has()
    names = list(rows)
    groups = {name: _group(name) for name in names}
    shapes, x = [], LEFT
    across = {}
    for at, name in enumerate(names):
        # A gap between ways, keys and what they open.
        x += 0 if at == 0 else COLUMN + (14 if groups[name] != groups[names[at - 1]] else 0)
        across[name] = x
    width = x + 110
    for at, role in enumerate(ROLES):
        y = TOP + at * ROW
        if at % 2 == 0:
            shapes.append(svg.box(14, y - 20, width - 96, ROW, "row"))
        shapes.append(svg.text(26, y, str(role), "name"))
        shapes += [svg.dot(across[name], y - 5) for name in names if rows[name][role]]
    for name in names:
        words = name.removeprefix("opens ").removesuffix(" keys")
        kind = "mark" if groups[name] == "opens" else ""
        shapes.append(_slanted(across[name], TOP - 30, words, kind))
    for group, words in (("ways", "reaches"), ("keys", "is given keys"), ("opens", "can open")):
        first = next(name for name in names if groups[name] == group)
        foot = TOP + len(ROLES) * ROW + 6
        shapes.append(svg.text(across[first] - 8, foot, words, "small"))
    height = TOP + len(ROLES) * ROW + 24
    title = "What each role reaches, which keys it is given, and what these can open."
    return svg.page(title, width, height, shapes)


def _group(name: str) -> str:
    if name.startswith("opens "):
        return "opens"
    return "keys" if name.endswith(" keys") else "ways"


def _slanted(x: float, y: float, words: str, kind: str) -> str:
    line = svg.text(x, y, words, kind)
    return f'<g transform="rotate(-40 {x:g} {y:g})">{line}</g>'
