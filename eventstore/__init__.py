"""The log: append in group commits, read, follow, seal; `Escrow` carries commands to it."""
