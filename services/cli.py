"""`brain-services`: starts one of the long-running services in the foreground."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
import uuid
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from schemas.errors import SettingsError
from services.ingestion.commands import app as ingestion_keys
from services.settings import TickerSettings
from services.ticker import KafkaHeartbeatSink, Ticker, run

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)
app.add_typer(ingestion_keys, name="ingestion-keys")

_NANOSECONDS_PER_MS = 1_000_000


@app.command()
def ticker(
    bootstrap: Annotated[str | None, typer.Option(help="Kafka, host:port (KAFKA_BOOTSTRAP_SERVERS).")] = None,
    interval_ms: Annotated[int | None, typer.Option(help="Between two rounds (TICKER_INTERVAL_MS).")] = None,
) -> None:
    """Write a heartbeat into every partition of rawframes each second."""
    _log_to_stderr()
    try:
        settings = TickerSettings.load({"kafka_bootstrap_servers": bootstrap, "interval_ms": interval_ms})
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error
    stop = _stop_on_signal()
    sink = KafkaHeartbeatSink(settings.kafka_bootstrap_servers, topic=settings.topic)
    beat = Ticker(sink, boot_id=uuid.uuid4().hex, now_ms=lambda: time.time_ns() // _NANOSECONDS_PER_MS)
    run(beat, interval_s=settings.interval_ms / 1_000, stop=stop)
    sink.close()


@app.command()
def ingestion(
    bootstrap: Annotated[str | None, typer.Option(help="Kafka, host:port (KAFKA_BOOTSTRAP_SERVERS).")] = None,
    host: Annotated[str | None, typer.Option(help="Where to listen (INGESTION_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Where to listen (INGESTION_PORT).")] = None,
    keys_file: Annotated[Path | None, typer.Option(help="Device keys (INGESTION_KEYS_FILE).")] = None,
    insecure_dev: Annotated[bool | None, typer.Option("--insecure-dev", help="No keys; on loopback only.")] = None,
) -> None:
    """Take events over HTTP and write them to rawframes."""
    # Only this command needs the web framework; the ticker starts without it.
    from services.ingestion.server import serve  # noqa: PLC0415
    from services.ingestion.settings import IngestionSettings  # noqa: PLC0415

    _log_to_stderr()
    # Uvicorn ends by raising the signal again that it was stopped by; this handler lets the exit code be 0.
    _stop_on_signal()
    flags = {"kafka_bootstrap_servers": bootstrap, "host": host, "port": port, "keys_file": keys_file}
    try:
        serve(IngestionSettings.load({**flags, "insecure_dev": insecure_dev}))
    except SettingsError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(2) from error


def _log_to_stderr() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")


def _stop_on_signal() -> threading.Event:
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        del number, frame
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    return stop


if __name__ == "__main__":
    sys.exit(app())
