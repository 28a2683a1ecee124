"""Builds and submits jobs in one client process: `flink run -d -py jobs/runtime/submit.py NAME...`.

`brain-jobs submit` runs it; one JVM and one Python serve all jobs of a call.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time

from jobs.runtime.registry import JOBS
from jobs.runtime.settings import JobSettings
from schemas.errors import BrainError


def submit_jobs(names: list[str], settings: JobSettings) -> None:
    """Submits the jobs in the given order and prints a line for each."""
    for name in names:
        started = time.monotonic()
        job_id = importlib.import_module(f"jobs.{name}").build(settings).submit()
        sys.stdout.write(f"submitted {name} {job_id} {time.monotonic() - started:.1f} s\n")
        sys.stdout.flush()


def main(arguments: list[str]) -> int:
    """Entry of the client process; the exit code is 1 if the settings are wrong."""
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="+", choices=JOBS)
    parser.add_argument("--resume", action="store_true", default=None)
    parser.add_argument("--from", dest="resume_from")
    # Flink's client may add arguments of its own.
    known, _ = parser.parse_known_args(arguments)
    try:
        submit_jobs(known.names, JobSettings.load({"resume": known.resume, "resume_from": known.resume_from}))
    except BrainError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
