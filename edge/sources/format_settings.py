"""How a device writes: how its bytes are cut into messages, and how a message is read."""

from __future__ import annotations

import re
import struct
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from edge.sources.checksums import ChecksumKind, checksum_bytes
from edge.sources.model import Section, complain

VALUE = "value"
"""The field of a message that is one number."""
LONGEST_MESSAGE_BYTES = 1024 * 1024
ByteOrder = Literal["little", "big"]
NumberType = Literal["text", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"]
_STRUCT_CODES: dict[str, str] = {
    "int8": "b",
    "uint8": "B",
    "int16": "h",
    "uint16": "H",
    "int32": "i",
    "uint32": "I",
    "int64": "q",
    "float32": "f",
    "float64": "d",
}


class LinesSettings(Section):
    """A byte stream of lines.

    Attributes:
        terminator: what ends a line; by default a line feed, and then a carriage return before it is dropped too.
        max_bytes: a longer line is rejected.
        first_is_whole: whether the first line after connecting is read; it may be the rest of one.
    """

    kind: Literal["lines"] = "lines"
    terminator: str = Field("\n", min_length=1, max_length=8, pattern=r"^[\x00-\x7f]+$")
    max_bytes: int = Field(4_096, ge=1, le=LONGEST_MESSAGE_BYTES)
    first_is_whole: bool = False


class LengthField(Section):
    """Where a frame tells its length.

    Attributes:
        offset: of the field from the first sync byte.
        size: of the field, in bytes.
        adds: what must be added to its value to have the length of the whole frame, sync and checksum included.
    """

    offset: int = Field(ge=1, le=255)
    size: Literal[1, 2, 4] = 1
    byte_order: ByteOrder = "little"
    adds: int = Field(0, ge=-255, le=255)


class FramesSettings(Section):
    """A byte stream of binary frames: sync bytes, body, checksum. The body is what lies between the other two.

    Attributes:
        sync: the bytes with which every frame begins, in hexadecimal: "AA55".
        length_bytes: of the whole frame, where all have one length; else `length_field` tells it.
        checksum_covers_sync: whether the checksum is made over the sync bytes too.
    """

    kind: Literal["frames"]
    sync: str = Field(pattern=r"^([0-9A-Fa-f]{2}){1,8}$")
    length_bytes: int | None = Field(None, ge=2, le=65_536)
    length_field: LengthField | None = None
    max_bytes: int = Field(4_096, ge=2, le=65_536)
    checksum: ChecksumKind = ChecksumKind.NONE
    checksum_byte_order: ByteOrder = "little"
    checksum_covers_sync: bool = True

    @property
    def sync_bytes(self) -> bytes:
        """The sync bytes."""
        return bytes.fromhex(self.sync)

    @property
    def head_bytes(self) -> int:
        """As many bytes of a frame tell its length."""
        field = self.length_field
        return len(self.sync_bytes) if field is None else max(len(self.sync_bytes), field.offset + field.size)

    @property
    def shortest_bytes(self) -> int:
        """A frame has its head, a checksum and, where its length is fixed, one byte more."""
        return self.head_bytes + checksum_bytes(self.checksum)

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        problems = []
        if (self.length_bytes is None) == (self.length_field is None):
            problems.append("want one of length_bytes and length_field")
        if self.length_bytes is not None and self.length_bytes <= self.shortest_bytes:
            problems.append(f"length_bytes={self.length_bytes} leaves nothing beside sync and checksum")
        if self.length_field is not None and self.length_field.offset < len(self.sync_bytes):
            problems.append(f"length_field.offset={self.length_field.offset} lies in the sync bytes")
        complain(problems)
        return self


class TextSettings(Section):
    """A message of text: either a regular expression with named groups, or columns with a delimiter.

    Attributes:
        pattern: of the whole message; every named group is a field.
        columns: names of the fields in order, "-" for one that nobody wants.
        delimiter: between columns; " " stands for any white space.
        decimal: what stands between whole and fraction.
    """

    kind: Literal["text"]
    pattern: str | None = None
    columns: tuple[str, ...] | None = Field(None, min_length=1)
    delimiter: str = Field(",", min_length=1)
    decimal: Literal[".", ","] = "."
    encoding: Literal["ascii", "utf-8", "latin-1"] = "utf-8"

    @property
    def fields(self) -> tuple[str, ...]:
        """The names of the fields."""
        if self.pattern is not None:
            return tuple(re.compile(self.pattern).groupindex)
        return tuple(name for name in self.columns or () if name != "-")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        problems = []
        if (self.pattern is None) == (self.columns is None):
            problems.append("want one of pattern and columns")
        if self.decimal == self.delimiter and self.pattern is None:
            problems.append("decimal and delimiter are the same")
        if self.pattern is not None:
            try:
                if not re.compile(self.pattern).groupindex:
                    problems.append("pattern has no named group (?P<name>...)")
            except re.error as error:
                problems.append(f"pattern: {error}")
        else:
            problems += _twice("columns", self.fields)
        complain(problems)
        return self


class StructSettings(Section):
    """A binary message as Python's `struct` writes it.

    Attributes:
        layout: such as "<HhfB", beginning with the byte order; "x" skips a byte.
        fields: the names of its values in order, "-" for one that nobody wants.
    """

    kind: Literal["struct"]
    layout: str = Field(pattern=r"^[<>][0-9xbBhHiIlLqQefd?]+$", max_length=1_024)
    fields: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _named(self) -> Self:
        problems = _twice("fields", tuple(name for name in self.fields if name != "-"))
        try:
            size = struct.calcsize(self.layout)
        except (struct.error, OverflowError) as error:
            problems.append(f"layout: {error}")
        else:
            if size > LONGEST_MESSAGE_BYTES:
                problems.append(f"layout has {size} bytes, at most {LONGEST_MESSAGE_BYTES}")
            elif (values := len(struct.unpack(self.layout, bytes(size)))) != len(self.fields):
                problems.append(f"layout has {values} values, fields names {len(self.fields)}")
        complain(problems)
        return self


class JsonSettings(Section):
    """A JSON message. A field is a path such as `data.channels.0`; a whole list of readings is read one by one.

    Attributes:
        items: path of the list of readings in the document; without it the document is one reading, or the list itself.
    """

    kind: Literal["json"] = "json"
    items: str | None = Field(None, min_length=1)


class NumberSettings(Section):
    """A message that is one number, with the field `value`.

    Attributes:
        type: text, or binary of that size.
    """

    kind: Literal["number"]
    type: NumberType = "text"
    byte_order: ByteOrder = "little"

    @property
    def layout(self) -> str:
        """The number as Python's `struct` writes it; only for binary types."""
        return ("<" if self.byte_order == "little" else ">") + _STRUCT_CODES[self.type]


SplitSettings = Annotated[LinesSettings | FramesSettings, Field(discriminator="kind")]
FormatSettings = Annotated[TextSettings | StructSettings | JsonSettings | NumberSettings, Field(discriminator="kind")]


def known_fields(settings: FormatSettings) -> tuple[str, ...] | None:
    """The fields a message of this format can have; None if it may have any."""
    match settings:
        case JsonSettings():
            return None
        case NumberSettings():
            return (VALUE,)
        case _:
            return tuple(name for name in settings.fields if name != "-")


def _twice(what: str, names: tuple[str, ...]) -> list[str]:
    repeated = sorted({name for name in names if names.count(name) > 1})
    return [f"{what}: {', '.join(repeated)} twice"] if repeated else []
