"""Long-running programs beside the Flink jobs; each is one command of `brain-services`."""
