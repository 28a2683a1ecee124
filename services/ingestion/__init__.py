"""The HTTP way in: sealed envelopes or JSON from devices, validated, acknowledged by Kafka, then answered."""
