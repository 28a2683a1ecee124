from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stack import jars
from stack.errors import JarChecksumError, MissingComponentError
from stack.jars import JarSet

CONTENT = {"a-1.0.jar": b"first", "b-2.0-linux.jar": b"second"}


@pytest.fixture
def jar_set(tmp_path: Path) -> JarSet:
    pins = tmp_path / "pins"
    pins.mkdir()
    (pins / "jgo.toml").write_text("")
    lock = ""
    for name, content in CONTENT.items():
        artifact, version, *classifier = name.removesuffix(".jar").split("-")
        lock += f'[[dependencies]]\nartifactId = "{artifact}"\nversion = "{version}"\npackaging = "jar"\n'
        lock += f'classifier = "{classifier[0]}"\n' if classifier else ""
        lock += f'sha256 = "{hashlib.sha256(content).hexdigest()}"\n'
    (pins / "jgo.lock.toml").write_text(lock)
    return JarSet("things", pins)


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, bytes]], list[Path]]:
    """Lets `jars.download` yield the given files; returns the workspaces in which it was called."""

    def install(content: dict[str, bytes]) -> list[Path]:
        calls: list[Path] = []

        def download(jar_set: JarSet, workspace: Path) -> Iterator[Path]:
            calls.append(workspace)
            (workspace / ".jgo").mkdir()
            for name, data in content.items():
                (workspace / ".jgo" / name).write_bytes(data)
            yield from (workspace / ".jgo").glob("*.jar")

        monkeypatch.setattr(jars, "download", download)
        return calls

    return install


def test_locked_jars_are_downloaded_once(
    jar_set: JarSet, downloads: Callable[[dict[str, bytes]], list[Path]], tmp_path: Path
) -> None:
    calls = downloads(CONTENT)
    directory = jars.ensure(jar_set, tmp_path / "jars")
    jars.ensure(jar_set, tmp_path / "jars")
    assert {path.name: path.read_bytes() for path in directory.glob("*.jar")} == CONTENT
    assert len(calls) == 1


def test_jar_with_other_content_is_refused(
    jar_set: JarSet, downloads: Callable[[dict[str, bytes]], list[Path]], tmp_path: Path
) -> None:
    downloads(CONTENT | {"a-1.0.jar": b"tampered"})
    with pytest.raises(JarChecksumError, match=r"a-1\.0\.jar"):
        jars.ensure(jar_set, tmp_path / "jars")


def test_jar_that_was_changed_on_disk_is_refused(
    jar_set: JarSet, downloads: Callable[[dict[str, bytes]], list[Path]], tmp_path: Path
) -> None:
    downloads(CONTENT)
    (jars.ensure(jar_set, tmp_path / "jars") / "a-1.0.jar").write_bytes(b"tampered")
    with pytest.raises(JarChecksumError):
        jars.ensure(jar_set, tmp_path / "jars")


def test_missing_jar_is_named(
    jar_set: JarSet, downloads: Callable[[dict[str, bytes]], list[Path]], tmp_path: Path
) -> None:
    downloads({"a-1.0.jar": b"first"})
    with pytest.raises(MissingComponentError, match=r"b-2\.0-linux\.jar"):
        jars.ensure(jar_set, tmp_path / "jars")


def test_jar_of_an_earlier_lock_is_removed(
    jar_set: JarSet, downloads: Callable[[dict[str, bytes]], list[Path]], tmp_path: Path
) -> None:
    downloads(CONTENT)
    directory = jars.ensure(jar_set, tmp_path / "jars")
    (directory / "a-0.9.jar").write_bytes(b"old")
    jars.ensure(jar_set, tmp_path / "jars")
    assert not (directory / "a-0.9.jar").exists()


def test_kafka_and_its_client_are_of_one_version() -> None:
    names = jars.KAFKA.locked()
    assert {"kafka_2.13-4.2.0.jar", "kafka-clients-4.2.0.jar"} <= names.keys()
    assert len([name for name in names if name.startswith("scala-library")]) == 1


@pytest.mark.parametrize("jar_set", jars.ALL, ids=lambda jar_set: jar_set.name)
def test_lock_files_hold_checksums_and_no_addresses(jar_set: JarSet) -> None:
    assert all(len(digest) == 64 for digest in jar_set.locked().values())
    assert "://" not in (jar_set.pins / "jgo.lock.toml").read_text() + (jar_set.pins / "jgo.toml").read_text()
