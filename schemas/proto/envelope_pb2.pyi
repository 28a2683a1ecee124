from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Iterable as _Iterable, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PayloadType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAYLOAD_TYPE_UNSPECIFIED: _ClassVar[PayloadType]
    SAMPLE_BLOCK: _ClassVar[PayloadType]
    COUNTER_READING: _ClassVar[PayloadType]
    MESH: _ClassVar[PayloadType]
    DEVICE_STATUS: _ClassVar[PayloadType]

class Encoding(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENCODING_UNSPECIFIED: _ClassVar[Encoding]
    FLOAT32: _ClassVar[Encoding]
    SCALED_INT16: _ClassVar[Encoding]
    FLOAT64: _ClassVar[Encoding]
PAYLOAD_TYPE_UNSPECIFIED: PayloadType
SAMPLE_BLOCK: PayloadType
COUNTER_READING: PayloadType
MESH: PayloadType
DEVICE_STATUS: PayloadType
ENCODING_UNSPECIFIED: Encoding
FLOAT32: Encoding
SCALED_INT16: Encoding
FLOAT64: Encoding

class EventEnvelope(_message.Message):
    __slots__ = ("event_id", "schema_version", "event_type", "device_id", "sensor_type", "session_id", "sensor_timestamp_ms", "ingest_timestamp_ms", "payload", "tenant_id", "site_id", "boot_id", "sequence", "resent", "payload_type", "session_start_ms", "crc32")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    SENSOR_TYPE_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    SENSOR_TIMESTAMP_MS_FIELD_NUMBER: _ClassVar[int]
    INGEST_TIMESTAMP_MS_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    TENANT_ID_FIELD_NUMBER: _ClassVar[int]
    SITE_ID_FIELD_NUMBER: _ClassVar[int]
    BOOT_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RESENT_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_TYPE_FIELD_NUMBER: _ClassVar[int]
    SESSION_START_MS_FIELD_NUMBER: _ClassVar[int]
    CRC32_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    schema_version: int
    event_type: str
    device_id: str
    sensor_type: str
    session_id: str
    sensor_timestamp_ms: int
    ingest_timestamp_ms: int
    payload: bytes
    tenant_id: str
    site_id: str
    boot_id: str
    sequence: int
    resent: bool
    payload_type: PayloadType
    session_start_ms: int
    crc32: int
    def __init__(self, event_id: _Optional[str] = ..., schema_version: _Optional[int] = ..., event_type: _Optional[str] = ..., device_id: _Optional[str] = ..., sensor_type: _Optional[str] = ..., session_id: _Optional[str] = ..., sensor_timestamp_ms: _Optional[int] = ..., ingest_timestamp_ms: _Optional[int] = ..., payload: _Optional[bytes] = ..., tenant_id: _Optional[str] = ..., site_id: _Optional[str] = ..., boot_id: _Optional[str] = ..., sequence: _Optional[int] = ..., resent: bool = ..., payload_type: _Optional[_Union[PayloadType, str]] = ..., session_start_ms: _Optional[int] = ..., crc32: _Optional[int] = ...) -> None: ...

class SampleBlock(_message.Message):
    __slots__ = ("start_us", "sample_rate_hz", "channels", "unit", "encoding", "sample_count", "scale", "offset", "data")
    START_US_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_RATE_HZ_FIELD_NUMBER: _ClassVar[int]
    CHANNELS_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    ENCODING_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SCALE_FIELD_NUMBER: _ClassVar[int]
    OFFSET_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    start_us: int
    sample_rate_hz: float
    channels: _containers.RepeatedScalarFieldContainer[str]
    unit: str
    encoding: Encoding
    sample_count: int
    scale: float
    offset: float
    data: bytes
    def __init__(self, start_us: _Optional[int] = ..., sample_rate_hz: _Optional[float] = ..., channels: _Optional[_Iterable[str]] = ..., unit: _Optional[str] = ..., encoding: _Optional[_Union[Encoding, str]] = ..., sample_count: _Optional[int] = ..., scale: _Optional[float] = ..., offset: _Optional[float] = ..., data: _Optional[bytes] = ...) -> None: ...

class CounterReading(_message.Message):
    __slots__ = ("reading_us", "value", "unit", "digits", "resolution")
    READING_US_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    DIGITS_FIELD_NUMBER: _ClassVar[int]
    RESOLUTION_FIELD_NUMBER: _ClassVar[int]
    reading_us: int
    value: float
    unit: str
    digits: int
    resolution: float
    def __init__(self, reading_us: _Optional[int] = ..., value: _Optional[float] = ..., unit: _Optional[str] = ..., digits: _Optional[int] = ..., resolution: _Optional[float] = ...) -> None: ...

class Mesh(_message.Message):
    __slots__ = ("format", "unit", "side", "sha256", "inline", "reference", "extent_mm")
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    INLINE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    EXTENT_MM_FIELD_NUMBER: _ClassVar[int]
    format: str
    unit: str
    side: str
    sha256: bytes
    inline: bytes
    reference: str
    extent_mm: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, format: _Optional[str] = ..., unit: _Optional[str] = ..., side: _Optional[str] = ..., sha256: _Optional[bytes] = ..., inline: _Optional[bytes] = ..., reference: _Optional[str] = ..., extent_mm: _Optional[_Iterable[float]] = ...) -> None: ...

class DeviceStatus(_message.Message):
    __slots__ = ("state", "software_version", "read_count", "spooled_count", "sent_count", "rejected_count", "last_acknowledged_sequence", "clock_synchronised", "monotonic_ms", "spool_depth_count", "spool_depth_bytes", "lost_count", "dropped_count", "source", "detail", "silent_sensors")
    STATE_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_VERSION_FIELD_NUMBER: _ClassVar[int]
    READ_COUNT_FIELD_NUMBER: _ClassVar[int]
    SPOOLED_COUNT_FIELD_NUMBER: _ClassVar[int]
    SENT_COUNT_FIELD_NUMBER: _ClassVar[int]
    REJECTED_COUNT_FIELD_NUMBER: _ClassVar[int]
    LAST_ACKNOWLEDGED_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CLOCK_SYNCHRONISED_FIELD_NUMBER: _ClassVar[int]
    MONOTONIC_MS_FIELD_NUMBER: _ClassVar[int]
    SPOOL_DEPTH_COUNT_FIELD_NUMBER: _ClassVar[int]
    SPOOL_DEPTH_BYTES_FIELD_NUMBER: _ClassVar[int]
    LOST_COUNT_FIELD_NUMBER: _ClassVar[int]
    DROPPED_COUNT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    SILENT_SENSORS_FIELD_NUMBER: _ClassVar[int]
    state: str
    software_version: str
    read_count: int
    spooled_count: int
    sent_count: int
    rejected_count: int
    last_acknowledged_sequence: int
    clock_synchronised: bool
    monotonic_ms: int
    spool_depth_count: int
    spool_depth_bytes: int
    lost_count: int
    dropped_count: int
    source: str
    detail: str
    silent_sensors: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, state: _Optional[str] = ..., software_version: _Optional[str] = ..., read_count: _Optional[int] = ..., spooled_count: _Optional[int] = ..., sent_count: _Optional[int] = ..., rejected_count: _Optional[int] = ..., last_acknowledged_sequence: _Optional[int] = ..., clock_synchronised: bool = ..., monotonic_ms: _Optional[int] = ..., spool_depth_count: _Optional[int] = ..., spool_depth_bytes: _Optional[int] = ..., lost_count: _Optional[int] = ..., dropped_count: _Optional[int] = ..., source: _Optional[str] = ..., detail: _Optional[str] = ..., silent_sensors: _Optional[_Iterable[str]] = ...) -> None: ...
