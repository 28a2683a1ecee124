"""What is read from /proc of processes that really run."""

from __future__ import annotations

import subprocess
import sys
import time

from bench.sampling import PYTHON_WORKER, Root, Sampler, role_of

MIB = 1024 * 1024
HOLD_AND_BURN = """
import sys, time
block = bytearray({mib} * 1024 * 1024)
end = time.process_time() + {cpu_s}
while time.process_time() < end:
    pass
print("done", flush=True)
sys.stdin.readline()
"""


def worker(mib: int, cpu_s: float) -> subprocess.Popen[str]:
    code = HOLD_AND_BURN.format(mib=mib, cpu_s=cpu_s)
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def finish(process: subprocess.Popen[str]) -> None:
    process.communicate("\n", timeout=30)


def test_memory_and_processor_time_of_a_child_are_seen() -> None:
    processes: list[subprocess.Popen[str]] = []
    with Sampler(lambda: [Root("work", process.pid) for process in processes], interval_s=0.02) as sampler:
        processes.append(worker(100, 0.3))
        assert processes[0].stdout is not None
        processes[0].stdout.readline()
        time.sleep(0.1)
    finish(processes[0])
    use = sampler.use.roles["work"]
    assert use.largest_bytes >= 100 * MIB
    assert sampler.use.total_bytes >= 100 * MIB
    assert 0.3 <= use.cpu_s < 3.0


def test_what_a_process_did_before_is_not_counted() -> None:
    process = worker(1, 0.5)
    assert process.stdout is not None
    process.stdout.readline()
    with Sampler(lambda: [Root("server", process.pid, counts_memory=False)], interval_s=0.02) as sampler:
        time.sleep(0.1)
    finish(process)
    assert sampler.use.roles["server"].cpu_s < 0.2
    assert sampler.use.roles["server"].largest_bytes > 0
    assert sampler.use.total_bytes == 0


def test_processor_time_of_chosen_roles_can_be_left_out() -> None:
    with Sampler(lambda: [], interval_s=0.02) as sampler:
        pass
    sampler.use.roles["work"].cpu_s, sampler.use.roles["kafka"].cpu_s = 3.0, 5.0
    assert sampler.use.cpu_s(without=("kafka",)) == 3.0


def test_python_below_the_taskmanager_is_a_worker_and_java_is_not() -> None:
    assert role_of("taskmanager", "python3.11") == PYTHON_WORKER
    assert role_of("taskmanager", "java") == "taskmanager"
    assert role_of("process", "python3.11") == "process"
