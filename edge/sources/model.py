"""The base of every section of a source's configuration."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from schemas.envelope import IDENTIFIER

Identifier = Annotated[str, Field(pattern=rf"^{IDENTIFIER.pattern}$")]
"""A name that may travel in a record's key."""


class Section(BaseModel):
    """A part of the configuration; unknown keys are errors, and values are not shown in them: they may be secrets."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, serialize_by_alias=True)


def complain(problems: Sequence[str]) -> None:
    """Report all problems of a section at once.

    Raises:
        ValueError: if there is one.
    """
    if problems:
        raise ValueError("; ".join(problems))
