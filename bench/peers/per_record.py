"""The functions of peer (f). In a module of their own: what a job script defines is pickled, and protobuf can't be."""

from __future__ import annotations

from collections.abc import Iterator

from pyflink.common import Row, Types
from pyflink.datastream import KeyedProcessFunction, RuntimeContext
from pyflink.datastream.state import ListStateDescriptor, ValueStateDescriptor

from bench.peers.session_work import Frame, cut_at_gaps, decode_block, describe_session
from schemas.proto.envelope_pb2 import SAMPLE_BLOCK, EventEnvelope

IDLE_MS = 5_000
BYTES_TYPE = Types.PRIMITIVE_ARRAY(Types.BYTE())
# Named: a row without names asks the JVM for them, which a worker does not have.
FRAME_TYPE = Types.ROW_NAMED(
    ["key", "start_us", "sample_rate_hz", "channels", "data"],
    [Types.STRING(), Types.LONG(), Types.DOUBLE(), Types.INT(), BYTES_TYPE],
)


def to_row(value: bytes) -> Iterator[Row]:
    """Key and frame of an envelope, nothing for a heartbeat: KafkaSource gives only the value."""
    envelope = EventEnvelope.FromString(value)
    if envelope.payload_type == SAMPLE_BLOCK:
        key = f"{envelope.tenant_id}/{envelope.device_id}/{envelope.session_id}/{envelope.sensor_type}"
        yield Row(key, *decode_block(envelope.payload))


def key_of(row: Row) -> str:
    """What sessions are made by."""
    return str(row[0])


class Sessions(KeyedProcessFunction):  # type: ignore[misc]
    """Keeps a key's frames until its arrival has been idle, then describes its sessions."""

    def open(self, runtime_context: RuntimeContext) -> None:
        """Registers state."""
        self._frames = runtime_context.get_list_state(ListStateDescriptor("frames", FRAME_TYPE))
        self._last_ms = runtime_context.get_state(ValueStateDescriptor("last_ms", Types.LONG()))

    def process_element(self, value: Row, ctx: KeyedProcessFunction.Context) -> None:
        """Keeps the frame; one timer at a time is enough, it is set again when it rings too early."""
        if self._last_ms.value() is None:
            ctx.timer_service().register_event_time_timer(ctx.timestamp() + IDLE_MS)
        self._frames.add(value)
        self._last_ms.update(ctx.timestamp())

    def on_timer(self, timestamp: int, ctx: KeyedProcessFunction.OnTimerContext) -> Iterator[bytes]:
        """Rings when the key has been idle, or has not."""
        closes_ms = self._last_ms.value() + IDLE_MS
        if timestamp < closes_ms:
            ctx.timer_service().register_event_time_timer(closes_ms)
            return
        frames = [Frame(*row[1:]) for row in self._frames.get()]
        self._frames.clear()
        self._last_ms.clear()
        for session in cut_at_gaps(frames):
            yield describe_session(ctx.get_current_key(), session)
