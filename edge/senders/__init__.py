"""Where records go: every way out implements the `Sender` of `edge.senders.sender`."""
