from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator

import pytest

from stack.errors import PortInUseError
from stack.ports import is_free, owner_of, pick_free, require_free


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_listening_port_is_not_free_and_its_owner_is_known(taken_port: int) -> None:
    assert not is_free(taken_port)
    assert f"pid {os.getpid()}" in owner_of(taken_port)


def test_port_taken_on_all_interfaces_is_not_free() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104
        assert not is_free(server.getsockname()[1])


def test_port_is_free_again_after_its_server_closed(taken_port: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            pass
    assert is_free(port)


def test_every_taken_port_is_named_with_its_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as other:
        wanted = {"kafka_port": one.getsockname()[1], "flink_rest_port": other.getsockname()[1]}
        with pytest.raises(PortInUseError) as raised:
            require_free(wanted)
    assert len(raised.value.problems) == 2
    for setting, port in wanted.items():
        assert f"{port} is held by" in str(raised.value)
        assert f"BRAIN_STACK_{setting.upper()}" in str(raised.value)


def test_free_ports_pass() -> None:
    require_free(pick_free(["a", "b"], rng=random.Random(1)))


def test_picked_ports_differ_and_are_free() -> None:
    names = [str(number) for number in range(50)]
    picked = pick_free(names, rng=random.Random(2))
    assert list(picked) == names
    assert len(set(picked.values())) == len(names)
    assert all(is_free(port) for port in picked.values())


def test_taken_port_is_not_picked(monkeypatch: pytest.MonkeyPatch) -> None:
    first = pick_free(["a"], rng=random.Random(3))["a"]
    monkeypatch.setattr("stack.ports.is_free", lambda port: port != first)
    assert pick_free(["a"], rng=random.Random(3))["a"] != first
