"""What the numbers mean: pure functions on batches. No clock, environment, network or pyflink."""
