"""Protocol buffers: envelope.proto and the code generated from it (`python -m schemas.proto.generate`)."""
