"""`brain-services ingestion-keys`: makes, shows, rotates and revokes device keys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from schemas.errors import BrainError
from services.ingestion.key_file import changing, read_keys, write_keys
from services.ingestion.keys import KeyEntry, KeyFile, NewKey, add_key, revoke_key, rotate_key, utc_now
from services.ingestion.settings import IngestionSettings

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)
WIDTH = 80

FileOption = Annotated[Path | None, typer.Option("--file", help="The file of keys (INGESTION_KEYS_FILE).")]
DaysOption = Annotated[int | None, typer.Option(min=1, help="The key expires after so many days.")]
KeyArgument = Annotated[str, typer.Argument(help="The key's id, the part before the dot.")]


@app.command()
def add(
    tenant: Annotated[str, typer.Option(help="Whose data the key writes.")],
    device: Annotated[list[str], typer.Option(help="A device, or the beginning of some: 'gw7-*'. May be repeated.")],
    days: DaysOption = None,
    file: FileOption = None,
) -> None:
    """Make a key; it is shown once."""
    now = utc_now()
    expires = now + timedelta(days=days) if days else None

    def entry(digest: str) -> KeyEntry:
        return KeyEntry(secret_sha256=digest, tenant_id=tenant, devices=tuple(device), created=now, expires=expires)

    with _reporting():
        path = _path(file)
        with changing(path):
            new = add_key(_read(path), entry, now=now, entropy=os.urandom)
            write_keys(path, new.file)
        _show_new(new)


@app.command()
def rotate(key_id: KeyArgument, days: DaysOption = None, file: FileOption = None) -> None:
    """Make a key for the same devices; the old one lives until it is revoked."""
    now = utc_now()
    with _reporting():
        path = _path(file)
        with changing(path):
            expires = now + timedelta(days=days) if days else None
            new = rotate_key(_read(path), key_id, expires=expires, now=now, entropy=os.urandom)
            write_keys(path, new.file)
        _show_new(new)


@app.command()
def revoke(key_id: KeyArgument, file: FileOption = None) -> None:
    """End a key; a running service knows it within seconds."""
    with _reporting():
        path = _path(file)
        with changing(path):
            write_keys(path, revoke_key(_read(path), key_id, now=utc_now()))
        typer.echo(f"{key_id} is revoked")


@app.command(name="list")
def list_keys(file: FileOption = None) -> None:
    """Show all keys, never their secrets."""
    with _reporting():
        keys = _read(_path(file)).keys
    now = utc_now()
    table = Table("key", "tenant", "devices", "created", "state", box=None)
    for key_id, entry in keys.items():
        until = f", until {entry.expires:%Y-%m-%d}" if entry.expires else ""
        state = f"live{until}" if entry.is_live(now) else "revoked" if entry.revoked else "expired"
        table.add_row(key_id, entry.tenant_id, " ".join(entry.devices), f"{entry.created:%Y-%m-%d}", state)
    Console(width=WIDTH, highlight=False).print(table)


def _path(file: Path | None) -> Path:
    return IngestionSettings.load({"keys_file": file}).keys_file


def _read(path: Path) -> KeyFile:
    return read_keys(path) if path.exists() else KeyFile()


def _show_new(new: NewKey) -> None:
    typer.echo("the key, shown only now:", err=True)
    typer.echo(new.token)


@contextmanager
def _reporting() -> Iterator[None]:
    """Shows what the user can mend as text and ends with 1."""
    try:
        yield
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        typer.echo(f"{'.'.join(map(str, first['loc']))}: {first['msg']}, got {first['input']!r}", err=True)
        raise typer.Exit(1) from None
    except (BrainError, OSError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
