"""What can go wrong in a bench run that is not the fault of a contender."""

from __future__ import annotations

from schemas.errors import BrainError


class BenchError(BrainError):
    """The bench could not set up or measure; the message says what and where."""
