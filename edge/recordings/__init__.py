"""What was measured before: recordings on disk in the formats of their devices, and the synthetic walker's."""
