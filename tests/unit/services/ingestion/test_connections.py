"""Connections to a real server: deadlines and limits that no ASGI application sees."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.builders import scalar_records
from tests.ingestion_client import batch
from tests.ingestion_server import RunningServer

BODY = batch([record.value for record in scalar_records(3)])


Make = Callable[..., RunningServer]


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[Make]:
    with ExitStack() as stack:
        yield lambda **flags: stack.enter_context(RunningServer(tmp_path, **flags).running())


def read_all(connection: socket.socket) -> bytes:
    """Everything until the server closes; a reset counts as an end."""
    received = b""
    try:
        while piece := connection.recv(65_536):
            received += piece
    except ConnectionResetError:
        pass
    return received


def test_an_honest_request_passes_and_the_connection_is_used_again(make_server: Make) -> None:
    server = make_server()
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/x-protobuf"}
    with httpx.Client(base_url=server.url, headers=headers) as client:
        for _ in range(3):
            assert client.post("/v1/ingest", content=BODY).status_code == 202
        assert client.post("/v1/ingest", content=iter([BODY[:5], BODY[5:]])).status_code == 202
        assert client.post("/v1/ingest", content=b"bad").status_code == 400
        assert "server" not in client.get("/health").headers
    assert len(server.writer.stored) == 12


def test_headers_that_do_not_end_are_closed(make_server: Make) -> None:
    server = make_server(header_timeout_s=0.2)
    with server.connect() as silent, server.connect() as slow, server.connect() as answered:
        slow.sendall(b"POST /v1/ingest HTTP/1.1\r\nHost: te")
        answered.sendall(b"GET /health HTTP/1.1\r\nHost: t\r\n\r\nGET /heal")
        assert read_all(silent) == read_all(slow) == b""
        assert read_all(answered).count(b"HTTP/1.1 200") == 1
    assert httpx.get(f"{server.url}/health").status_code == 200


@pytest.mark.parametrize("request_", [b"GET /health HTTP/1.1\r\nHost: t\r\n\r\n", b""], ids=["answered", "new"])
def test_bytes_that_begin_no_request_keep_no_connection(make_server: Make, request_: bytes) -> None:
    server = make_server(header_timeout_s=0.3)
    with server.connect() as connection:
        connection.sendall(request_)
        if request_:
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"\r\n")
        assert read_all(connection) == b""


def test_headers_that_trickle_are_closed_though_bytes_come(make_server: Make) -> None:
    server = make_server(header_timeout_s=0.3)
    with server.connect() as connection:
        connection.settimeout(0.02)
        closed = False
        for _ in range(500):
            try:
                connection.sendall(b"X")
                closed = connection.recv(10) == b""
            except TimeoutError:
                continue
            except OSError:
                closed = True
            if closed:
                break
        assert closed


@pytest.mark.parametrize("ending", [b"", b"\r\n\r\n"], ids=["no end", "whole"])
def test_headers_over_the_limit_are_refused(make_server: Make, ending: bytes) -> None:
    server = make_server(max_header_bytes=2_000)
    with server.connect() as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: t\r\nX-Long: " + b"x" * 3_000 + ending)
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"urn:iot-brain:problem:large_headers" in answer


def test_an_address_over_the_limit_is_refused(make_server: Make) -> None:
    server = make_server(max_header_bytes=2_000)
    with server.connect() as connection:
        connection.sendall(b"GET /" + b"x" * 3_000 + b" HTTP/1.1\r\nHost: t\r\n\r\n")
        assert read_all(connection).startswith(b"HTTP/1.1 431 ")


def test_what_is_no_http_is_a_problem(make_server: Make) -> None:
    server = make_server()
    with server.connect() as connection:
        connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 tls hello")
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in answer


def test_a_body_that_stops_is_answered_408_and_closed(make_server: Make) -> None:
    server = make_server(body_grace_s=0.1, body_timeout_s=0.2)
    with server.connect() as connection:
        connection.sendall(server.head(f"Content-Length: {len(BODY)}") + BODY[:10])
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in answer.lower()
    assert server.writer.stored == []


def test_a_body_fed_to_a_page_that_wants_none_is_closed(make_server: Make) -> None:
    server = make_server(body_timeout_s=0.1, header_timeout_s=0.2)
    head = b"POST /health HTTP/1.1\r\nHost: t\r\nContent-Length: "
    with server.connect() as unending, server.connect() as whole:
        unending.sendall(head + b"1000000\r\n\r\nabc")
        whole.sendall(head + b"3\r\n\r\n")
        assert whole.recv(65_536).startswith(b"HTTP/1.1 405 ")
        whole.sendall(b"abc")
        assert read_all(whole) == b""
        assert read_all(unending).startswith(b"HTTP/1.1 405 ")


def test_a_client_without_a_key_hears_so_though_it_still_sends(make_server: Make) -> None:
    server = make_server()
    response = httpx.post(
        f"{server.url}/v1/ingest", content=bytes(1_500_000), headers={"Content-Type": "application/x-protobuf"}
    )
    assert response.status_code == 401


def test_a_client_with_too_much_hears_so(make_server: Make) -> None:
    server = make_server(max_body_bytes=100_000)
    with server.connect() as connection:
        connection.sendall(server.head("Content-Length: 99999999", "Expect: 100-continue"))
        answer = read_all(connection)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"100 Continue" not in answer


def test_connections_over_the_limit_are_refused_and_room_is_made_when_one_ends(make_server: Make) -> None:
    server = make_server(max_connections=2)
    with server.connect() as first, server.connect() as second:
        for connection in (first, second):
            connection.sendall(b"GET /health HTTP/1.1\r\nHost: t\r\n\r\n")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 200")
        with server.connect() as third:
            answer = read_all(third)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 5" in answer.lower()
        first.close()
        while answer.startswith(b"HTTP/1.1 503 "):
            with server.connect() as fourth:
                fourth.sendall(b"GET /health HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n")
                answer = read_all(fourth) or answer
        assert answer.startswith(b"HTTP/1.1 200 ")


def test_a_client_that_goes_away_leaves_no_memory_taken(make_server: Make) -> None:
    server = make_server()
    with server.connect() as connection:
        connection.sendall(server.head(f"Content-Length: {len(BODY)}") + BODY[:10])
    for _ in range(200):
        page = httpx.get(f"{server.url}/metrics").text
        if 'requests_total{status="400"} 1.0' in page:
            break
    assert "brain_ingestion_memory_bytes 0.0" in page
