"""The address of a ClickHouse server that the user brings."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

DEFAULT_TCP_PORT = 9000
DEFAULT_HTTP_PORT = 8123
FORM = "clickhouse://USER:PASSWORD@HOST:9000/?http_port=8123"


class ClickHouseServer(NamedTuple):
    """Where a server listens and who we are there."""

    host: str
    tcp_port: int
    http_port: int
    user: str
    password: str


def parse_clickhouse_url(url: str) -> ClickHouseServer:
    """Read a URL of the form `FORM`; everything but the host may be left out.

    Raises:
        ValueError: it has another form. The message does not repeat the URL: it may hold a password.
    """
    parts = urlsplit(url)
    try:
        tcp_port = parts.port or DEFAULT_TCP_PORT
        http_port = int(parse_qs(parts.query).get("http_port", [str(DEFAULT_HTTP_PORT)])[0])
    except ValueError:
        raise ValueError(f"a port is not a number, want {FORM}") from None
    if parts.scheme != "clickhouse" or not parts.hostname:
        raise ValueError(f"want {FORM}")
    user, password = unquote(parts.username or "default"), unquote(parts.password or "")
    return ClickHouseServer(parts.hostname, tcp_port, http_port, user, password)
