"""The log: append in group commits, read, follow; `Escrow` carries commands to it."""
