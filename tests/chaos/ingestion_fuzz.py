"""`python -m tests.chaos.ingestion_fuzz --requests 100000 --seed 1`: damaged requests by the hundred thousand.

Each request carries ten sealed envelopes of which some bytes are changed, or their JSON, or noise, compressed or not,
through the application with a Kafka in memory. Prints one JSON line. An answer of 5xx, a damaged envelope that was
accepted, or a record that is neither accepted nor rejected makes the exit code 1.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import zstandard

from tests.builders import FrameBuilder
from tests.ingestion_client import Service, batch, reading

ENVELOPES = 10
GOOD = [FrameBuilder(sequence=number).record().value for number in range(ENVELOPES)]
JSON = json.dumps({"envelopes": [reading(sequence=number) for number in range(ENVELOPES)]}).encode()
COMPRESS = {"identity": bytes, "gzip": gzip.compress, "zstd": zstandard.compress}
NO_LIMIT = {"requests_per_s": 1e12, "requests_burst": 1e12, "records_per_s": 1e12, "records_burst": 1e12}


def damaged(rng: random.Random, value: bytes) -> bytes:
    """Changes, removes or adds some bytes."""
    changed = bytearray(value)
    for _ in range(rng.randint(1, 4)):
        position = rng.randrange(len(changed))
        kind = rng.random()
        if kind < 0.7:
            changed[position] = rng.randrange(256)
        elif kind < 0.85:
            del changed[position : position + rng.randint(1, 20)]
        else:
            changed[position:position] = rng.randbytes(rng.randint(1, 20))
        if not changed:
            break
    return bytes(changed)


def request(rng: random.Random) -> tuple[dict[str, str], bytes]:
    """The headers and body of one request."""
    kind = rng.random()
    if kind < 0.6:
        body = batch([damaged(rng, value) if rng.random() < 0.9 else value for value in GOOD])
        media_type = "application/x-protobuf"
    elif kind < 0.75:
        body, media_type = damaged(rng, batch(GOOD)), "application/x-protobuf"
    elif kind < 0.95:
        body, media_type = damaged(rng, JSON), "application/json"
    else:
        body = rng.randbytes(rng.randint(0, 2_000))
        media_type = rng.choice(["application/x-protobuf", "application/json"])
    encoding = rng.choice(list(COMPRESS))
    body = COMPRESS[encoding](body)
    if rng.random() < 0.1 and body:
        body = damaged(rng, body)
    return {"Content-Type": media_type, "Content-Encoding": encoding}, body


def run(requests: int, seed: int) -> dict[str, object]:
    """Sends the requests and says what became of them."""
    rng = random.Random(seed)
    statuses: Counter[int] = Counter()
    records: Counter[str] = Counter()
    good, wrongly_accepted = set(GOOD), 0
    begin_s = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Service.make(Path(folder), **NO_LIMIT) as service:
        for _ in range(requests):
            headers, body = request(rng)
            response = service.post(headers=headers, content=body)
            statuses[response.status_code] += 1
            records.update(result["status"] for result in response.json().get("results", []))
            if headers["Content-Type"].endswith("protobuf"):
                wrongly_accepted += sum(record.value not in good for _, record in service.writer.stored)
            service.writer.stored.clear()
    return {
        "seed": seed,
        "requests": requests,
        "statuses": {str(status): count for status, count in sorted(statuses.items())},
        "records": dict(records),
        "errors_of_the_service": sum(count for status, count in statuses.items() if status >= 500),
        "wrongly_accepted": wrongly_accepted,
        "seconds": round(time.monotonic() - begin_s, 1),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    outcome = run(arguments.requests, arguments.seed)
    print(json.dumps(outcome))
    sys.exit(bool(outcome["errors_of_the_service"] or outcome["wrongly_accepted"]))
