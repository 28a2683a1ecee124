"""Downloads the pinned jars with `jgo` (Maven artifacts in pure Python) and checks them against the lock files."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from stack.errors import JarChecksumError, MissingComponentError
from stack.home import REPOSITORY

SPEC_FILE = "jgo.toml"
LOCK_FILE = "jgo.lock.toml"
_DOWNLOAD_TIMEOUT_S = 600


@dataclass(frozen=True, slots=True)
class JarSet:
    """The jars of one component.

    Attributes:
        name: also the directory below the jars directory.
        pins: the directory that holds `jgo.toml` and `jgo.lock.toml`.
    """

    name: str
    pins: Path

    def locked(self) -> dict[str, str]:
        """File name -> sha256 of every jar in the lock file."""
        lock = tomllib.loads((self.pins / LOCK_FILE).read_text())
        return {_file_name(dependency): dependency["sha256"] for dependency in lock["dependencies"]}


KAFKA = JarSet("kafka", REPOSITORY / "stack" / "kafka")
KAFKA_LOGGING = JarSet("kafka-logging", KAFKA.pins / "logging")
FLINK_CONNECTORS = JarSet("flink-connectors", REPOSITORY / "flink-conf")
ALL = (KAFKA, KAFKA_LOGGING, FLINK_CONNECTORS)


def ensure(jar_set: JarSet, jars_dir: Path) -> Path:
    """Make sure that every locked jar is there and is the right one.

    Returns:
        The directory that holds exactly the locked jars.

    Raises:
        MissingComponentError: the download failed.
        JarChecksumError: a jar is not the one in the lock file.
    """
    target = jars_dir / jar_set.name
    if not all((target / name).is_file() for name in jar_set.locked()):
        target.mkdir(parents=True, exist_ok=True)
        for jar in download(jar_set, target):
            shutil.copyfile(jar, target / jar.name)
        shutil.rmtree(target / ".jgo")
    _verify(jar_set, target)
    return target


def download(jar_set: JarSet, workspace: Path) -> Iterator[Path]:
    """Resolve a component with `jgo` in `workspace` and yield the jars it fetched.

    Raises:
        MissingComponentError: with the end of jgo's output.
    """
    shutil.copyfile(jar_set.pins / SPEC_FILE, workspace / SPEC_FILE)
    command = [sys.executable, "-m", "jgo", "--ignore-config", "--quiet", "--resolver", "python", "--class-path-only"]
    done = subprocess.run(  # noqa: S603  # our own interpreter, fixed arguments
        [*command, "--links", "copy", "sync", "--force"],
        cwd=workspace,
        capture_output=True,
        text=True,
        timeout=_DOWNLOAD_TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        tail = (done.stdout + done.stderr)[-800:]
        raise MissingComponentError(f"can't download the jars of {jar_set.name} (jgo, Maven Central):\n{tail}")
    # jgo sorts jars into jars/ and modules/ by their manifests; on the class path there is no difference.
    return (workspace / ".jgo").glob("*/*.jar")


def _verify(jar_set: JarSet, directory: Path) -> None:
    locked = jar_set.locked()
    for jar in directory.glob("*.jar"):
        if jar.name not in locked:
            # A jar of an earlier lock: on a class path with a wildcard it would be loaded too.
            jar.unlink()
    for name, expected in locked.items():
        jar = directory / name
        if not jar.is_file():
            raise MissingComponentError(f"{name} is in the lock file of {jar_set.name} but jgo did not fetch it")
        actual = hashlib.sha256(jar.read_bytes()).hexdigest()
        if actual != expected:
            raise JarChecksumError(jar, expected=expected, actual=actual)


def relock(jar_set: JarSet, workspace: Path) -> Path:
    """Resolve anew and replace the committed lock file; returns its path."""
    jars = list(download(jar_set, workspace))
    lock = jar_set.pins / LOCK_FILE
    resolved = tomllib.loads((workspace / ".jgo" / LOCK_FILE).read_text())
    if len(jars) != len(resolved["dependencies"]):
        raise MissingComponentError(f"{jar_set.name}: jgo locked {len(resolved['dependencies'])}, fetched {len(jars)}")
    shutil.copyfile(workspace / ".jgo" / LOCK_FILE, lock)
    return lock


def _file_name(dependency: dict[str, str]) -> str:
    classifier = f"-{dependency['classifier']}" if dependency.get("classifier") else ""
    return f"{dependency['artifactId']}-{dependency['version']}{classifier}.{dependency['packaging']}"
