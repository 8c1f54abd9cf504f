"""The `escrow` command: parses, calls one function of a lower room, prints. Bodies are imported late."""
