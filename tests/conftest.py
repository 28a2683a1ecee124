"""Fixtures and options that all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from stack import initialise, lifecycle
from stack.endpoints import StackEndpoints
from stack.home import REPOSITORY
from stack.settings import StackSettings
from tests.line import Line
from tests.small_stack import small_stack_settings

# No deadline: these machines are slow at odd moments, and a slow example is not a wrong one. In CI the examples are
# always the same, so that a change is judged by what it changes; elsewhere every run looks for new ones.
settings.register_profile(
    "brain",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
    print_blob=not os.environ.get("CI"),
)
settings.load_profile("brain")


@pytest.fixture(scope="session")
def brain_data() -> Path:
    """The folder of real recordings: BRAIN_DATA, else ../shared/data beside the repository.

    In CI a missing folder is an error; elsewhere the tests that need it are skipped, by name and with this reason.
    """
    path = Path(os.environ.get("BRAIN_DATA", REPOSITORY.parent / "shared" / "data"))
    if not path.is_dir():
        message = f"no recordings in {path}: set BRAIN_DATA"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return path


@pytest.fixture(scope="session")
def stack_settings(tmp_path_factory: pytest.TempPathFactory) -> StackSettings:
    """The settings of the session's stack."""
    return small_stack_settings(tmp_path_factory.mktemp("stack"))


@pytest.fixture(scope="session")
def stack(stack_settings: StackSettings) -> Iterator[StackEndpoints]:
    """A running stack with topics and tables, one for the whole session. A missing part is an error, never a skip."""
    try:
        endpoints = lifecycle.up(stack_settings, progress=lambda name, seconds: None)
        initialise.create_topics(endpoints, partitions=stack_settings.partitions)
        initialise.migrate(endpoints, os.environ)
        yield endpoints
    finally:
        lifecycle.down(stack_settings.stack_home(), timeout_s=stack_settings.stop_timeout_s)


@pytest.fixture(scope="session")
def line(stack: StackEndpoints, tmp_path_factory: pytest.TempPathFactory) -> Line:
    """The stack with every job running."""
    running = Line(stack, tmp_path_factory.mktemp("scans"))
    running.submit("all")
    return running
