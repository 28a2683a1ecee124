"""The wire contract: released bytes still parse, generated code is what the proto gives, names belong to us."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import numpy as np
import pytest

from schemas.envelope import RecordKey, heartbeat, make_event_id, unseal
from schemas.meshes import mesh_payload, open_mesh
from schemas.proto import generate
from schemas.proto.envelope_pb2 import CounterReading, DeviceStatus, Mesh, SampleBlock
from tests.builders import FrameBuilder, counter_record, scan_record
from udfs.records import open_block, open_record

GOLDEN = json.loads((Path(__file__).parent / "golden" / "v1.json").read_text())
GENERATED = Path(generate.__file__).parent


def golden(name: str) -> tuple[bytes, bytes, bytes]:
    entry = GOLDEN[name]
    return entry["key"].encode(), bytes.fromhex(entry["value"]), entry["sensor_ms"].encode()


def test_a_released_reading_still_means_the_same() -> None:
    envelope = open_record(*golden("reading"))
    layout, block = open_block(envelope)
    assert (envelope.tenant_id, envelope.device_id, envelope.sequence) == ("lab", "walker-1", 7)
    assert envelope.event_id == make_event_id("lab", "walker-1", "boot-1", 7) == "ed36c4fca4f6e5b6b70239ae344e3ee3"
    assert (layout.sensor.sensor_type, layout.samples, layout.sample_rate_hz) == ("TEMP", 1, 1.0)
    assert np.frombuffer(block.data, "<f4").tolist() == [21.5]


def test_a_released_waveform_still_means_the_same() -> None:
    envelope = open_record(*golden("waveform"))
    layout, block = open_block(envelope)
    assert layout.channels == ("L1", "L2")
    assert (block.scale, block.offset) == (0.01, 0.0)
    assert np.frombuffer(block.data, "<i2").tolist() == [100, 2000, 150, 2100]


def test_a_released_heartbeat_still_means_the_same() -> None:
    envelope = open_record(*golden("heartbeat"))
    assert DeviceStatus.FromString(envelope.payload).state == "heartbeat"


def test_a_released_counter_still_means_the_same() -> None:
    envelope = open_record(*golden("counter"))
    layout, block = open_block(envelope)
    assert (layout.sensor.sensor_type, layout.samples, layout.sample_rate_hz) == ("KWH", 1, 0.0)
    assert np.frombuffer(block.data, "<f8").tolist() == [1_234_567.01]
    reading = CounterReading.FromString(envelope.payload)
    assert (reading.digits, reading.resolution, reading.unit) == (9, 0.01, "kWh")


def test_a_released_scan_still_means_the_same() -> None:
    envelope = open_record(*golden("scan"))
    layout, block = open_block(envelope)
    assert (layout.sensor.sensor_type, layout.channels) == ("SCANNER", ("x", "y", "z"))
    assert np.frombuffer(block.data, "<f8").tolist() == [10.0, 20.0, 0.0]
    assert open_mesh(Mesh.FromString(envelope.payload)).faces.tolist() == [[0, 1, 2]]


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_the_same_event_is_still_the_same_bytes(name: str) -> None:
    assert BUILDERS[name].value.hex() == GOLDEN[name]["value"]


def test_an_old_reader_keeps_what_a_newer_writer_adds() -> None:
    envelope = unseal(golden("reading")[1])
    newer = envelope.SerializeToString() + b"\xf2\x07\x03new"
    assert type(envelope).FromString(newer).SerializeToString() == newer
    block = SampleBlock.FromString(envelope.payload + b"\xf2\x07\x03new")
    assert block.SerializeToString().endswith(b"\xf2\x07\x03new")


@pytest.mark.parametrize("name", ["envelope_pb2.py", "envelope_pb2.pyi", "ingest_pb2.py", "ingest_pb2.pyi"])
def test_generated_code_is_what_the_proto_gives(name: str, tmp_path: Path) -> None:
    generate.generate(tmp_path)
    assert (tmp_path / name).read_text() == (GENERATED / name).read_text()


@pytest.mark.parametrize("package", ["schemas", "udfs", "models", "jobs", "edge", "services", "stack", "training"])
def test_no_other_distribution_owns_our_package_names(package: str) -> None:
    owners = importlib.metadata.packages_distributions().get(package, [])
    assert set(owners) <= {"iot-brain"}


BUILDERS = {
    "counter": counter_record(1_234_567.01, sequence=9),
    "scan": scan_record(
        mesh_payload(b"v 0 0 0\nv 1 0 0\nv 0 2 0\nf 1 2 3\n", "obj", unit="cm", side="left"), sequence=10
    ),
    "reading": FrameBuilder(sequence=7).record(),
    "waveform": FrameBuilder(
        sensor_type="GRF",
        sequence=8,
        sample_rate_hz=100.0,
        samples=np.array([[1.0, 20.0], [1.5, 21.0]]),
        int16_scale=0.01,
        resent=True,
    ).record(),
    "heartbeat": heartbeat(RecordKey("brain", "ticker-0", "heartbeat", "STATUS"), "boot-1", 3, 1_760_000_000_000),
}
