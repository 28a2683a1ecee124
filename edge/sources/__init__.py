"""Live sources: what devices send now, by serial line, MQTT or HTTP, and what stands in for them."""
