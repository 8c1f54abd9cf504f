"""The outside world: what the escrow asks of others, each with a local stand-in."""
