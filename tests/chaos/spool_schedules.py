"""Random crash schedules of the spool on a disk in memory that keeps only what POSIX promises.

    python -m tests.chaos.spool_schedules --schedules 100000 --seed 1

Each schedule is a life of up to 60 actions with power cuts, also in the middle of an action, failing syncs and a full
disk; after each start the promises are judged (`tests/unit/edge/spool/crash_model.py`): what was committed is there, no
byte is altered, no position comes twice, the cursor never leads. Prints one JSON line with the number of broken
schedules, and names the seed of each.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
import time
from collections.abc import Callable

from tests.unit.edge.spool.crash_model import CrashModel

ACTIONS = 60
Action = Callable[[CrashModel, random.Random], None]
WEIGHTED: list[tuple[int, Action]] = [
    (8, lambda model, dice: model.append(dice.randint(1, 30), dice.choice([20, 100, 900]))),
    (8, lambda model, dice: model.commit()),
    (5, lambda model, dice: model.hand_out(dice.randint(1, 40))),
    (5, lambda model, dice: model.acknowledge(dice.choice([0.3, 0.9, 1.0]))),
    (3, lambda model, dice: model.save_cursor()),
    (2, lambda model, dice: model.read()),
    (1, lambda model, dice: model.resend()),
    (3, lambda model, dice: model.write_back()),
    (1, lambda model, dice: model.fail_syncs(dice.randint(1, 3))),
    (1, lambda model, dice: model.set_free_bytes(dice.randint(0, 3_000))),
    (1, lambda model, dice: model.set_free_bytes(None)),
    (3, lambda model, dice: model.cut_power_in(dice.randint(1, 12))),
    (1, lambda model, dice: model.stop_cleanly()),
    (2, lambda model, dice: model.kill()),
    (2, lambda model, dice: model.crash()),
]


def run_schedule(seed: int) -> CrashModel:
    """One life; raises AssertionError where a promise is broken."""
    dice = random.Random(seed)
    model = CrashModel(seed)
    weights, actions = zip(*WEIGHTED, strict=True)
    for action in dice.choices(actions, weights, k=dice.randint(5, ACTIONS)):
        action(model, dice)
    model.crash()
    return model


def main() -> None:
    """Run them all and print the sums."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    begin_s = time.monotonic()
    report = {"seed": options.seed, "schedules": options.schedules, "crashes": 0, "committed": 0, "broken": 0}
    for index in range(options.schedules):
        seed = options.seed * 1_000_000_007 + index
        try:
            model = run_schedule(seed)
        except AssertionError as error:
            report["broken"] += 1
            print(f"schedule of seed {seed}: {error}", file=sys.stderr)
            continue
        report["committed"] += len(model.committed)
        report["crashes"] += model.files.epoch
    print(json.dumps(report | {"seconds": round(time.monotonic() - begin_s)}))
    raise SystemExit(report["broken"] > 0)


if __name__ == "__main__":
    main()
