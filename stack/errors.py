"""What can go wrong with the local stack; every message says what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from schemas.errors import BrainError, SettingsError


class StackError(BrainError):
    """Base of all errors of the local stack; its text is shown to the user as it is."""


class StackConfigError(StackError, SettingsError):
    """One or more settings are wrong; the message names them all."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("wrong settings:\n" + "\n".join(f"  {problem}" for problem in problems))


class PortInUseError(StackError):
    """One or more ports of the stack are taken; nothing was started."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        lines = "\n".join(f"  {problem}" for problem in problems)
        super().__init__(f"ports in use:\n{lines}\n  or let the stack choose: brain-stack up --free-ports")


class MissingComponentError(StackError):
    """A part of the stack is not installed or was not downloaded."""


class JarChecksumError(StackError):
    """A downloaded jar is not the one in the lock file."""

    def __init__(self, jar: Path, *, expected: str, actual: str) -> None:
        super().__init__(f"{jar}: sha256 is {actual}, the lock file says {expected}; delete the file and try again")
        self.jar = jar


class StackStartError(StackError):
    """A process did not become ready; the message holds the end of its log."""


class StackNotRunningError(StackError):
    """A command needs a running stack and there is none."""


class TopicMismatchError(StackError):
    """An existing topic differs from its specification in a way that can't be changed in place."""


class ChangedMigrationError(StackError):
    """A migration that was applied has since been edited."""

    def __init__(self, file_name: str, *, applied_sha256: str, current_sha256: str) -> None:
        super().__init__(
            f"migration {file_name} was changed after it was applied "
            f"(applied sha256 {applied_sha256[:12]}, now {current_sha256[:12]}): "
            "restore the file and put the change into a new one with the next number"
        )
        self.file_name = file_name
