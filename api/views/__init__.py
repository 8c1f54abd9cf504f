"""What the API shows: one model per noun, made from aggregates or from rows of the read models."""
