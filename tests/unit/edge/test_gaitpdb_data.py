"""The same promises on the recordings of the public data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edge.recordings.gaitpdb import expand_address, read_recordings

pytestmark = pytest.mark.data


@pytest.fixture
def gaitpdb(brain_data: Path) -> Path:
    return brain_data / "health" / "gaitpdb"


def test_every_original_equals_its_packed_record_without_the_first_sample(gaitpdb: Path) -> None:
    originals = sorted((gaitpdb / "orig").glob("*.txt.gz"))
    assert len(originals) == 8
    for original in originals:
        (text,) = read_recordings(str(original))
        (packed,) = read_recordings(f"{gaitpdb / 'gaitpdb_Ga.npz'}#{text.name}")
        assert np.array_equal(text.samples[1:], packed.samples)
        assert (text.start_s, packed.start_s) == (0.0, 0.01)


def test_every_packed_record_is_readable(gaitpdb: Path) -> None:
    addresses = [
        address for study in ("Ga", "Ju", "Si") for address in expand_address(f"{gaitpdb}/gaitpdb_{study}.npz")
    ]
    assert len(addresses) == 244
    rows = sum(len(read.samples) for address in addresses for read in read_recordings(address))
    assert rows == 1_041_577 + 931_051 + 618_018
