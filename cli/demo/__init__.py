"""The demo: `start` has everything begin at once, `playing` is any start, `premiere` what only the first one tells."""
