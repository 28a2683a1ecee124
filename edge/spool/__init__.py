"""The disk spool: what a source was told is safe survives a power cut, and goes out when the line is back.

`spool.Spool` is the store, `drain.Drain` the loop that sends from it. docs/edge.md, "The spool", says what it promises.
"""
