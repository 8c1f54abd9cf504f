"""How long this program waits for a connection, and for a sign of life on one."""

CONNECT_SECONDS = 2
"""Where somebody waits for an answer: a request, or a loop that tries again at once."""
PATIENT_CONNECT_SECONDS = 5
"""At a start and at a terminal, where one attempt decides: the machine may be busy starting everything else."""
SILENCE_MS = 5_000
"""So long what was sent may go unacknowledged: a server that vanished without a word is noticed."""
