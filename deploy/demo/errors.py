"""What can go wrong on the journey, one sentence each; none of it deserves a traceback."""


class DemoError(Exception):
    """The root: the journey ends here, with this sentence and exit status 1."""


class NotHeld(DemoError):
    """Something that the project promises was not so."""


class Refused(DemoError):
    """The API said no, in its own words."""

    def __init__(self, *, status: int, code: str, detail: str) -> None:
        super().__init__(f"The API refused with {status} {code}: {detail}")
        self.status = status
        self.code = code


def expect(held: bool, sentence: str) -> None:
    """Go on only where a promise was kept; unlike `assert`, no switch of Python turns this off."""
    if not held:
        raise NotHeld(sentence)
