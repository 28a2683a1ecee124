"""The `flink` command: the one of the PyPI wheel, pointed at the local stack."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from schemas.errors import SettingsError
from stack import flink_home
from stack.errors import StackError, StackNotRunningError
from stack.settings import StackSettings

_WRONG_USE = 2


def main() -> None:
    """Replace this process by Flink's own command line with the given arguments.

    Runs against the stack below BRAIN_HOME (default `.brain` in the repository). To use another cluster set
    FLINK_CONF_DIR for a moment or give `-m HOST:PORT`.
    """
    try:
        environment = _environment()
    except (StackError, SettingsError) as error:
        sys.stderr.write(f"flink: {error}\n")
        sys.exit(_WRONG_USE)
    script = str(Path(environment["FLINK_HOME"]) / "bin" / "flink")
    bash = shutil.which("bash") or "/bin/bash"
    os.execve(bash, [bash, script, *sys.argv[1:]], environment)  # noqa: S606  # its arguments are the user's


def _environment() -> dict[str, str]:
    settings = StackSettings.load({})
    home = settings.stack_home()
    if not (home.flink_conf / "config.yaml").is_file():
        raise StackNotRunningError(f"no configuration in {home.flink_conf}: start the stack first (brain-stack up)")
    return flink_home.environment(os.environ, home, java=flink_home.java_home(settings))


if __name__ == "__main__":
    main()
