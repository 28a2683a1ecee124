"""`brain-stack demo`: real recordings through the whole line, watched from the outside."""
