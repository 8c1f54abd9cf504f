"""Read models folded from the log: one file per table family, one mechanism that folds them all."""
