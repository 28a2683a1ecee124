"""The Flink jobs: each module here is one `flink run -py` target, wiring that reads top to bottom."""
