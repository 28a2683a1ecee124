"""Fixtures of the integration tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.clickhouse_server import ClickHouseServer, running_server


@pytest.fixture(scope="module")
def module_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClickHouseServer]:
    """A ClickHouse of the test module's own."""
    with running_server(tmp_path_factory.mktemp("clickhouse")) as server:
        yield server


@pytest.fixture
def server(module_server: ClickHouseServer) -> ClickHouseServer:
    """The server with empty tables."""
    module_server.empty_tables()
    return module_server
