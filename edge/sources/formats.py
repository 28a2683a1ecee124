"""A message read into fields, in each of the formats; what cannot be read raises `InvalidMessage` and nothing else."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from typing import Protocol

import orjson

from edge.sources.format_settings import (
    VALUE,
    FormatSettings,
    JsonSettings,
    NumberSettings,
    StructSettings,
    TextSettings,
)
from edge.sources.numbers import as_text
from schemas.errors import InvalidMessage, Reason


class Fields(Protocol):
    """The fields of one reading."""

    def get(self, name: str, /) -> object:
        """What a field holds.

        Raises:
            KeyError: if there is no such field.
        """
        ...


Decode = Callable[[bytes], Sequence[Fields]]
"""The readings in a message, raising InvalidMessage."""


def make_decoder(settings: FormatSettings) -> Decode:
    """The function that reads messages of a format."""
    match settings:
        case TextSettings(pattern=None):
            return lambda body: [_columns(body, settings)]
        case TextSettings():
            pattern = re.compile(settings.pattern or "")
            return lambda body: [_groups(body, pattern, settings)]
        case StructSettings():
            layout = struct.Struct(settings.layout)
            return lambda body: [_unpacked(body, layout, settings.fields)]
        case NumberSettings(type="text"):
            return lambda body: [Named({VALUE: _text(body, "utf-8").strip()})]
        case NumberSettings():
            layout = struct.Struct(settings.layout)
            return lambda body: [_unpacked(body, layout, (VALUE,))]
        case JsonSettings():
            return lambda body: _documents(body, settings)


class Named:
    """Fields that have names."""

    def __init__(self, values: dict[str, object]) -> None:
        self._values = values

    def get(self, name: str, /) -> object:
        """See `Fields`."""
        return self._values[name]


class Document:
    """A JSON value; its fields are paths: keys and list places joined by dots. A key may itself have dots."""

    def __init__(self, value: object) -> None:
        self._value = value

    def get(self, name: str, /) -> object:
        """See `Fields`."""
        if isinstance(self._value, dict) and name in self._value:
            return self._value[name]
        value = self._value
        for step in name.split("."):
            value = _step(value, step)
        return value


def _step(value: object, step: str) -> object:
    if isinstance(value, dict):
        return value[step]
    if isinstance(value, list) and step.isascii() and step.isdigit() and int(step) < len(value):
        return value[int(step)]
    raise KeyError(step)


def _documents(body: bytes, settings: JsonSettings) -> list[Document]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _malformed(f"no JSON: {error}") from None
    if settings.items is not None:
        try:
            document = Document(document).get(settings.items)
        except KeyError:
            raise _malformed(f"field {settings.items!r} is missing") from None
        if not isinstance(document, list):
            raise _malformed(f"field {settings.items!r}: {as_text(document)} is no list")
    readings = document if isinstance(document, list) else [document]
    if not readings:
        raise _malformed("an empty list of readings")
    return [Document(reading) for reading in readings]


def _columns(body: bytes, settings: TextSettings) -> Named:
    text = _text(body, settings.encoding)
    values = text.split(None if settings.delimiter == " " else settings.delimiter)
    names = settings.columns or ()
    if len(values) != len(names):
        raise _malformed(f"{len(values)} columns, want {len(names)}: {as_text(text)}")
    return Named({name: _decimal(value, settings) for name, value in zip(names, values, strict=True) if name != "-"})


def _groups(body: bytes, pattern: re.Pattern[str], settings: TextSettings) -> Named:
    text = _text(body, settings.encoding)
    match = pattern.fullmatch(text)
    if match is None:
        raise _malformed(f"{as_text(text)} does not match the pattern")
    return Named({name: _decimal(value, settings) for name, value in match.groupdict().items() if value is not None})


def _decimal(value: str, settings: TextSettings) -> str:
    return value if settings.decimal == "." else value.replace(settings.decimal, ".")


def _unpacked(body: bytes, layout: struct.Struct, names: Sequence[str]) -> Named:
    if len(body) != layout.size:
        raise _malformed(f"{len(body)} bytes, want {layout.size}: {body[:32].hex()}")
    return Named({name: value for name, value in zip(names, layout.unpack(body), strict=True) if name != "-"})


def _text(body: bytes, encoding: str) -> str:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as error:
        raise _malformed(f"no {encoding} at byte {error.start}: {body[error.start : error.end].hex()}") from None


def _malformed(detail: str) -> InvalidMessage:
    return InvalidMessage(Reason.MALFORMED_PAYLOAD, detail)
