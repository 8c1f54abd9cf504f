"""What must happen because of an event: calls to the outside world, deadlines, and what follows them.

Reactions are level-triggered: for a transaction that may need something they read its state and take the next step, so
that a lost notification, a repeated webhook, a crash between two steps and a plain poll all lead to the same end.
"""
