"""The agent: live sources through the spool to a receiver, and what it says of itself."""
