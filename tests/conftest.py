"""Fixtures and options that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parents[1]

# No deadline: these machines are slow at odd moments, and a slow example is not a wrong one.
settings.register_profile("brain", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
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
