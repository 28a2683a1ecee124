from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from edge.identity import Boot, Identity
from edge.recordings.recording import Recording
from edge.recordings.synthetic_gait import synthesize_gait
from edge.settings import EdgeSettings


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in list(os.environ):
        if name.startswith(EdgeSettings.prefix):
            monkeypatch.delenv(name)
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    yield


@pytest.fixture
def identity() -> Identity:
    return Identity(tenant_id="lab", site_id="hall", device_id="walker-1", session_id="morning", boot_id="b0")


@pytest.fixture
def boot() -> Boot:
    return Boot("b0", 1_700_000_000_000)


@pytest.fixture(scope="session")
def walk() -> Recording:
    """12.34 s of synthetic walking: 12 whole blocks of 1 s and a shorter one."""
    return synthesize_gait(12.34, seed=7, name="WalkCo01_01").recording
