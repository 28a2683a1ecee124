"""Where samples come from: recordings on disk and the synthetic walker; live sensors implement the same `Source`."""
