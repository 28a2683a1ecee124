"""A serial line: bytes come in, are cut into messages, and become measurements. A lost device is waited for.

A serial line cannot send again: what arrives while the agent is down is lost, and so is what overflows the driver's
buffer while the disk is slow.
"""

from __future__ import annotations

import logging
import random
import termios
import threading

import serial

from edge.instant import Instant, InstantClock, SteadyWall
from edge.sources.assembling import Assembled, Assembler, check_times
from edge.sources.backoff import Backoff
from edge.sources.interpreter import Interpreter
from edge.sources.settings import SerialSettings
from edge.sources.source import Outlet, Rejected, Stopped, Taken
from edge.sources.splitting import Malformed, Piece, make_splitter
from schemas.errors import InvalidMessage

LOG = logging.getLogger(__name__)

_READ_S = 0.1
"""A read waits so long for a first byte; then the blocks that wait are looked after."""
_MOST_BYTES = 65_536
_LOST = (serial.SerialException, termios.error, OSError)
"""What the driver raises when the device is gone: not all of it is pyserial's own."""
_PARITY = {"none": "N", "even": "E", "odd": "O", "mark": "M", "space": "S"}


class SerialSource:
    """Reads one port; see `edge.sources.source.LiveSource`."""

    def __init__(self, settings: SerialSettings, clock: InstantClock, rng: random.Random) -> None:
        self._settings = settings
        self._clock = clock
        self._backoff = Backoff(settings.retry.first_s, settings.retry.longest_s, rng)
        self._steady = SteadyWall()

    @property
    def name(self) -> str:
        """Of the source."""
        return self._settings.name

    def run(self, outlet: Outlet, stop: threading.Event) -> None:
        """Read until `stop` is set; a port that is not there is tried again and again."""
        while not stop.is_set():
            device = _Device(self._settings, self._clock, self._steady, outlet)
            try:
                with _open(self._settings) as port:
                    outlet.state(True, f"open: {self._settings.port}")
                    self._read(port, device, stop)
            except _LOST as error:
                outlet.state(False, f"{self._settings.port}: {error}")
            except Stopped:
                return
            finally:
                device.end_quietly()
            stop.wait(self._backoff.next_s())

    def _read(self, port: serial.Serial, device: _Device, stop: threading.Event) -> None:
        heard_s = self._clock.clock.monotonic_s()
        silent = False
        while not stop.is_set():
            data = port.read(max(1, min(port.in_waiting, _MOST_BYTES)))
            now_s = self._clock.clock.monotonic_s()
            if data:
                # Only a device that speaks is back: a port may open a hundred times to nothing.
                self._backoff.reset()
                heard_s = now_s
                if silent:
                    device.outlet.state(True, f"open: {self._settings.port}")
                    silent = False
            elif not silent and now_s - heard_s > self._settings.silence_s:
                silent = True
                device.outlet.state(True, f"open, but silent for {self._settings.silence_s:g} s")
            device.take(data)


class _Device:
    """One connection's bytes on their way to the outlet."""

    def __init__(self, settings: SerialSettings, clock: InstantClock, steady: SteadyWall, outlet: Outlet) -> None:
        self.outlet = outlet
        self._settings = settings
        self._clock = clock
        self._splitter = make_splitter(settings.split)
        self._interpreter = Interpreter(settings.reading)
        self._assembler = Assembler(settings.reading, steady)

    def take(self, data: bytes) -> None:
        """Bytes that have just come, or none."""
        now = self._clock.now()
        for piece in self._splitter.feed(data):
            self._take_piece(piece, now)
        self._put(self._assembler.overdue(now))

    def end_quietly(self) -> None:
        """The connection is over: what waits goes too, unless the agent stops taking."""
        now = self._clock.now()
        try:
            for piece in self._splitter.end():
                self._take_piece(piece, now)
            self._put(self._assembler.flush())
        except Stopped:
            LOG.warning("%s: samples that waited for their block were not taken", self._settings.name)

    def _take_piece(self, piece: Piece, now: Instant) -> None:
        if isinstance(piece, Malformed):
            self._reject(piece.raw, piece.error, now)
            return
        said = self._interpreter.read(piece.body)
        error = check_times(said.values, self._settings.reading)
        if error is None:
            error = said.error()
            self._put(self._assembler.add(said.values, now))
        if error is not None:
            self._reject(piece.raw, error, now)

    def _put(self, assembled: list[Assembled]) -> None:
        for one in assembled:
            self.outlet.put(Taken(self._settings.device_id, one.measurement, one.taken, one.timed_by_device))

    def _reject(self, raw: bytes, error: InvalidMessage, now: Instant) -> None:
        self.outlet.reject(Rejected(self._settings.device_id, raw, error, now))


def _open(settings: SerialSettings) -> serial.Serial:
    """The open port.

    Raises:
        SerialException, OSError: if it is not there, or another program has it.
    """
    try:
        return _opened(settings)
    except ValueError as error:
        # A baud rate that this port does not have, or an address of no known kind.
        raise serial.SerialException(str(error)) from error


def _opened(settings: SerialSettings) -> serial.Serial:
    port = serial.serial_for_url(
        settings.port,
        do_not_open=True,
        baudrate=settings.baud_rate,
        bytesize=settings.data_bits,
        parity=_PARITY[settings.parity],
        stopbits=float(settings.stop_bits),
        timeout=_READ_S,
        rtscts=settings.flow_control == "rts_cts",
        xonxoff=settings.flow_control == "xon_xoff",
        dsrdtr=settings.flow_control == "dsr_dtr",
    )
    if "://" not in settings.port:
        # Two programs on one port would each get half of the bytes.
        port.exclusive = True
    port.open()
    return port
