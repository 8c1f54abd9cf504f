"""The exit codes of `escrow`, by which a script tells a conflict from a missing thing."""

UNEXPECTED, USAGE, DIFFERENCE, PRECONDITION, NOT_FOUND, CONFLICT, REFUSED = 1, 2, 3, 4, 5, 6, 9
