"""`brain-edge status`: one screen that says what is connected, what is waiting, and whether anything was lost."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

_MIB = 1024 * 1024
_MOST_DEVICES = 30


def show_status(console: Console, snapshot: dict[str, Any], *, running: bool, age_s: float) -> None:
    """Print a snapshot."""
    spool, drain, clocks = snapshot["spool"], snapshot["drain"], snapshot["clocks"]
    head = f"[green]running[/green], process {snapshot['pid']}" if running else "[red]not running[/red]"
    console.print(f"agent     {head}, as of {age_s:.0f} s ago", highlight=False)
    clock = "held by a time service" if clocks["synchronised"] else "[yellow]not synchronised[/yellow]"
    held = f", {clocks['held']} readings wait for it to be set" if clocks["held"] else ""
    console.print(f"clock     {clock}{held}", highlight=False)
    waiting = f"{spool['depth_records']:,} records wait, the oldest for {spool['oldest_age_ms'] / 1_000:.0f} s"
    console.print(f"spool     {waiting}; {spool['depth_bytes'] / _MIB:.1f} MiB on disk", highlight=False)
    console.print(
        f"sent      {drain['acknowledged']:,} acknowledged since its start, {drain['in_flight']:,} under way, "
        f"{drain['resent']:,} sent again",
        highlight=False,
    )
    console.print(f"lost      {_losses(snapshot)}", highlight=False)
    console.print(_sources(snapshot["sources"]))
    console.print(_devices(snapshot["devices"]))


def _losses(snapshot: dict[str, Any]) -> str:
    spool = snapshot["spool"]
    unreadable = sum(device["rejected"] for device in snapshot["devices"])
    told = [
        f"[red]{count:,} {what}[/red]"
        for count, what in (
            (spool["lost"], "by the disk"),
            (spool["dropped"], "dropped because the spool was full"),
            (spool["rejected"], "refused by the receiver (rejected.jsonl)"),
            (unreadable, "unreadable (unreadable.jsonl)"),
        )
        if count
    ]
    return "; ".join(told) or "[green]nothing[/green]"


def _sources(sources: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for name in ("source", "connected", "waiting", "detail"):
        table.add_column(name, justify="right" if name == "waiting" else "left", overflow="fold")
    for source in sources:
        connected = "[green]yes[/green]" if source["connected"] else "[red]no[/red]"
        table.add_row(source["name"], connected, f"{source['waiting']:,}", source["detail"])
    return table


def _devices(devices: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("device", overflow="fold")
    table.add_column("source")
    for name in ("read", "on disk", "unreadable", "heard"):
        table.add_column(name, justify="right")
    table.add_column("silent", overflow="fold")
    for device in sorted(devices, key=lambda one: (not one["silent"], one["device_id"]))[:_MOST_DEVICES]:
        heard_ms = device["heard_ms_ago"]
        table.add_row(
            device["device_id"],
            device["source"],
            f"{device['read']:,}",
            f"{device['spooled']:,}",
            f"{device['rejected']:,}",
            "-" if heard_ms is None else f"{max(0, heard_ms) / 1_000:.0f} s ago",
            f"[red]{', '.join(device['silent'])}[/red]" if device["silent"] else "",
        )
    if len(devices) > _MOST_DEVICES:
        table.caption = f"and {len(devices) - _MOST_DEVICES} more devices"
    return table
