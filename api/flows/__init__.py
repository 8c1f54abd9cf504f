"""What takes more than one call: each flow is a short sequence that a repeat can go through again."""
