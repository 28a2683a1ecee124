"""Making clients and writers from the settings."""

from __future__ import annotations

import logging
from functools import partial

from clickhouse_driver import Client

from jobs.runtime.clickhouse.backoff import Backoff
from jobs.runtime.clickhouse.repeats import RepeatedEvents
from jobs.runtime.clickhouse.routes import Route
from jobs.runtime.clickhouse.settings import ClickHouseSettings
from jobs.runtime.clickhouse.table import ClickHouseTable
from jobs.runtime.clickhouse.writer import BlockWriter

# It warns at every block that array columns are not numpy's; they are few.
logging.getLogger("clickhouse_driver.columns.service").setLevel(logging.ERROR)


def open_client(settings: ClickHouseSettings, use_numpy: bool = False) -> Client:
    """A client that connects when first used, and again after a failure."""
    return Client(
        settings.host,
        port=settings.port,
        database=settings.database,
        user=settings.user,
        password=settings.password.get_secret_value(),
        secure=settings.secure,
        compression="lz4" if settings.compression else False,
        connect_timeout=settings.connect_timeout_s,
        send_receive_timeout=settings.request_timeout_s,
        sync_request_timeout=settings.connect_timeout_s,
        client_name="iot-brain",
        # The server's own default for answers is zstd, which needs one more package here.
        settings={"use_numpy": use_numpy, "server_side_params": True, "network_compression_method": "lz4"},
    )


def open_writer(settings: ClickHouseSettings, route: Route) -> BlockWriter:
    """The writer of a route's table."""
    table = ClickHouseTable(partial(open_client, settings), settings.database, route.table)
    return BlockWriter(
        table,
        backoff=Backoff(settings.first_pause_s, settings.longest_pause_s),
        insert_rows=settings.insert_rows,
        repeats=RepeatedEvents(table) if route.one_row_per_event else None,
    )
