"""The device side: read samples, frame them, and send the frames until they are acknowledged."""
