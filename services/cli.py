"""`brain-services`: starts one of the long-running services in the foreground."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
import uuid
from types import FrameType
from typing import Annotated

import typer

from schemas.errors import SettingsError
from services.settings import TickerSettings
from services.ticker import KafkaHeartbeatSink, Ticker, run

app = typer.Typer(help=__doc__, no_args_is_help=True, pretty_exceptions_enable=False)

_NANOSECONDS_PER_MS = 1_000_000


@app.callback()
def _services() -> None:
    """Keeps `brain-services NAME` a group while there is only one service."""


@app.command()
def ticker(
    bootstrap: Annotated[str | None, typer.Option(help="Kafka, host:port (KAFKA_BOOTSTRAP_SERVERS).")] = None,
    interval_ms: Annotated[int | None, typer.Option(help="Between two rounds (TICKER_INTERVAL_MS).")] = None,
) -> None:
    """Write a heartbeat into every partition of rawframes each second."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
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
