"""The peers: the same work as a competent user of each would write it. They import nothing of ours but the protobuf."""
