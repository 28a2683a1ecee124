"""The application without a network and without Kafka."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.ingestion_client import Service

Make = Callable[..., Service]


@pytest.fixture
def make_service(tmp_path: Path) -> Iterator[Make]:
    """Makes a running service with these settings."""
    with ExitStack() as stack:

        def make(**flags: Any) -> Service:
            return stack.enter_context(Service.make(tmp_path, **flags))

        yield make


@pytest.fixture
def service(make_service: Make) -> Service:
    """A running service with default settings."""
    return make_service()
