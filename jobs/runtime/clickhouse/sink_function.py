"""The writer as a vectorised Flink function: rows in, for each None or why it could not be stored."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyflink.table.udf import FunctionContext, ScalarFunction

from jobs.runtime.clickhouse.client import open_writer
from jobs.runtime.clickhouse.origins import split_by_origin
from jobs.runtime.clickhouse.routes import Route
from jobs.runtime.clickhouse.settings import ClickHouseSettings
from jobs.runtime.timestamps import milliseconds
from udfs.table_blocks import KafkaBatch


class ClickHouseSink(ScalarFunction):  # type: ignore[misc]
    """For `udf(ClickHouseSink(...), func_type="pandas", result_type=DataTypes.STRING())`.

    A call returns only when every row is stored or refused, so a checkpoint never covers rows that are not.
    """

    def __init__(self, route: Route, topic_id: str, settings: ClickHouseSettings) -> None:
        """
        Args:
            route: what is stored where.
            topic_id: Kafka's id of the topic that is read, see `jobs.runtime.kafka_topics`.
            settings: of the server.
        """
        self._route = route
        self._topic_id = topic_id
        self._settings = settings

    def open(self, function_context: FunctionContext) -> None:
        """Makes the writer; it connects at the first rows."""
        del function_context
        self._writer = open_writer(self._settings, self._route)

    def is_deterministic(self) -> bool:
        """No: Flink must call it for every row, once."""
        return False

    def eval(
        self,
        partition: pd.Series[int],
        offset: pd.Series[int],
        append_time: pd.Series[Any],
        key: pd.Series[bytes],
        value: pd.Series[bytes],
        *headers: pd.Series[bytes],
    ) -> pd.Series[str]:
        """Stores a batch.

        Args:
            partition: Kafka partition of each record.
            offset: its offset there.
            append_time: its timestamp, a TIMESTAMP_LTZ.
            key: its key.
            value: its value.
            *headers: one column for each name in the route's `headers`.

        Returns:
            `reason: detail` for each row that can't be stored, else None.
        """
        batch = KafkaBatch(
            topic_id=self._topic_id,
            partitions=partition.to_numpy(dtype=np.int32),
            offsets=offset.to_numpy(dtype=np.int64),
            append_ms=milliseconds(append_time),
            keys=key.tolist(),
            values=value.tolist(),
            headers={name: column.tolist() for name, column in zip(self._route.headers, headers, strict=True)},
        )
        reasons: NDArray[np.object_] = np.full(len(batch), None, dtype=object)
        for rows, part in split_by_origin(batch):
            reasons[rows] = self._writer.store(self._route.block(part))
        return pd.Series(reasons, dtype=object)
