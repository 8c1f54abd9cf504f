"""The `escrow` command: `parse` is what can be typed, `run` what it then does, `demo` everything at once with data."""
