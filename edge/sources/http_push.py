"""A small HTTP endpoint for devices that push: 202 says that the message is on disk."""

from __future__ import annotations

import hmac
import json
import logging
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from edge.instant import Instant, InstantClock
from edge.sources.inbox import Inbox
from edge.sources.messages import MessageReader, Reading, hand_over
from edge.sources.settings import HttpPushSettings
from edge.sources.source import Outlet, Stopped

LOG = logging.getLogger(__name__)

_WAITING_MESSAGES = 16
_POLL_S = 0.05
_RETRY_AFTER_S = "5"


@dataclass(slots=True, eq=False)
class _Incoming:
    """One message that a client waits for.

    Attributes:
        stored: set when it is on disk.
        given_up: the client has been told to come again; a message that is not in the outlet yet stays out of it.
    """

    reading: Reading
    raw: bytes
    now: Instant
    stored: threading.Event = field(default_factory=threading.Event)
    given_up: threading.Event = field(default_factory=threading.Event)


class HttpPushSource:
    """Serves one endpoint; see `edge.sources.source.LiveSource`.

    Args:
        settings: of the endpoint; a port of 0 takes any free one.
        clock: tells when a message came.

    Attributes:
        listening: set when the endpoint answers.
        port: where it listens; 0 before `listening` is set.
    """

    def __init__(self, settings: HttpPushSettings, clock: InstantClock) -> None:
        self._settings = settings
        self._clock = clock
        self.listening = threading.Event()
        self.port = 0

    @property
    def name(self) -> str:
        """Of the source."""
        return self._settings.name

    def run(self, outlet: Outlet, stop: threading.Event) -> None:
        """Serve until `stop` is set; a port that is taken is tried again."""
        inbox: Inbox[_Incoming] = Inbox(_WAITING_MESSAGES, stop)
        while not stop.is_set():
            try:
                server = _Server(self._settings, self._clock, inbox)
            except OSError as error:
                outlet.state(False, f"{self._settings.host}:{self._settings.port}: {error}")
                stop.wait(self._settings.retry.longest_s)
                continue
            self._serve(server, inbox, outlet, stop)

    def _serve(self, server: _Server, inbox: Inbox[_Incoming], outlet: Outlet, stop: threading.Event) -> None:
        serving = threading.Thread(target=server.serve_forever, args=(_POLL_S,), name=f"http-{self.name}", daemon=True)
        serving.start()
        self.port = server.server_address[1]
        self.listening.set()
        outlet.state(True, f"listening on {self._settings.host}:{self.port}{self._settings.path}")
        try:
            while not stop.is_set():
                message = inbox.take()
                if message is not None and not message.given_up.is_set():
                    hand_over(message.reading, message.raw, message.now, outlet, message.stored.set)
        except Stopped:
            stop.wait()
        finally:
            server.shutdown()
            server.server_close()
            serving.join()
            outlet.state(False, "stopped")


class _Server(ThreadingHTTPServer):
    """A thread for each connection, up to a number of them; more wait in the backlog of the socket."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, settings: HttpPushSettings, clock: InstantClock, inbox: Inbox[_Incoming]) -> None:
        self.settings = settings
        self.clock = clock
        self.inbox = inbox
        self.reader = MessageReader(settings.reading, settings.device_id or settings.name, settings.device_field)
        self.authorization = f"Bearer {settings.token.get_secret_value()}".encode()
        self._room = threading.Semaphore(settings.max_connections)
        super().__init__((settings.host, settings.port), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Start a thread when there is room for one."""
        self._room.acquire()
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._room.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve one connection."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no error of ours; anything else is told."""
        del request
        LOG.debug("connection of %s ended with an error", client_address, exc_info=True)


class _Refused(Exception):  # noqa: N818 - an answer
    """The request is answered with this."""

    def __init__(self, status: HTTPStatus, error: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.error, self.detail = status, error, detail


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: _Server
    protocol_version = "HTTP/1.1"
    server_version = "iot-brain"
    sys_version = ""

    def setup(self) -> None:
        """A client that stops in the middle of its request does not hold a thread for ever."""
        super().setup()
        self.connection.settimeout(self.server.settings.request_s)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def do_POST(self) -> None:
        """Take one message."""
        try:
            body = self._body()
            reading = self._store(body)
        except _Refused as refused:
            # What was not read of the body would look like the next request.
            self.close_connection = True
            self._answer(refused.status, {"error": refused.error, "detail": refused.detail})
        else:
            self._answer(HTTPStatus.ACCEPTED, {"measurements": len(reading.assembled)})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the library
        """Requests are no news."""
        LOG.debug(format, *args)

    def _body(self) -> bytes:
        """The body of a request that may be made.

        Raises:
            _Refused: with the status that says why not.
        """
        settings = self.server.settings
        given = self.headers.get("Authorization", "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self.server.authorization):
            raise _Refused(HTTPStatus.UNAUTHORIZED, "unauthorized", "want Authorization: Bearer and the token")
        if self.path.partition("?")[0] != settings.path:
            raise _Refused(HTTPStatus.NOT_FOUND, "not_found", f"readings go to {settings.path}")
        if self.headers.get("Content-Encoding", "identity") != "identity":
            raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "encoded", "bodies are taken as they are")
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()):
            raise _Refused(HTTPStatus.LENGTH_REQUIRED, "length_required", "want a Content-Length")
        if len(length) > 10 or int(length) > settings.max_body_bytes:
            detail = f"at most {settings.max_body_bytes} bytes"
            raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "oversized", detail)
        body = self.rfile.read(int(length))
        if len(body) != int(length):
            raise _Refused(HTTPStatus.BAD_REQUEST, "incomplete", f"{len(body)} bytes of {length}")
        return body

    def _store(self, body: bytes) -> Reading:
        """What the body says, when it is on disk.

        Raises:
            _Refused: if something is wrong with it (then it is a dead letter too), or the disk does not keep up.
        """
        settings, now = self.server.settings, self.server.clock.now()
        message = _Incoming(self.server.reader.read(body, now), body, now)
        kept = self.server.inbox.put(message, settings.answer_s) and message.stored.wait(settings.answer_s)
        if not kept:
            message.given_up.set()
            raise _Refused(HTTPStatus.SERVICE_UNAVAILABLE, "busy", "not on disk yet; send it again")
        error = message.reading.error
        if error is not None:
            raise _Refused(HTTPStatus.UNPROCESSABLE_ENTITY, error.reason.value, error.detail)
        return message.reading

    def _answer(self, status: HTTPStatus, body: Mapping[str, object]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            self.send_header("Retry-After", _RETRY_AFTER_S)
        if status is HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Bearer")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)
