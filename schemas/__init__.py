"""The contract of iot-brain: every fact that two rooms share is written here, once."""
