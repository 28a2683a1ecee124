"""Fixtures that need the real Kafka, Flink and ClickHouse. A part that is missing is an error, never a skip."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack import initialise, lifecycle
from stack.endpoints import StackEndpoints
from stack.home import REPOSITORY
from stack.settings import StackSettings, load_settings

# Shared with the developer's own stack: the jars are downloaded once.
JARS = REPOSITORY / ".brain" / "jars"


def small_stack_settings(home: Path) -> StackSettings:
    """A stack for tests: free ports and a small TaskManager."""
    sizes = {"taskmanager_memory_mb": 2_560, "kafka_heap_mb": 512}
    # A machine that runs other tests beside these may be very slow.
    flags = {"home": home, "jars_dir": JARS, "start_timeout_s": 300, **sizes}
    return load_settings(flags).with_free_ports(random.SystemRandom())


@pytest.fixture(scope="session")
def stack_settings(tmp_path_factory: pytest.TempPathFactory) -> StackSettings:
    """The settings of the session's stack."""
    return small_stack_settings(tmp_path_factory.mktemp("stack"))


@pytest.fixture(scope="session")
def stack(stack_settings: StackSettings) -> Iterator[StackEndpoints]:
    """A running stack with topics and tables, one for the whole session."""
    try:
        endpoints = lifecycle.up(stack_settings, progress=lambda name, seconds: None)
        initialise.create_topics(endpoints, partitions=stack_settings.partitions)
        initialise.migrate(endpoints, os.environ)
        yield endpoints
    finally:
        lifecycle.down(stack_settings.stack_home(), timeout_s=stack_settings.stop_timeout_s)
