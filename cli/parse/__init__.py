"""What can be typed: one file per command, with its arguments and help. Bodies, in `run`, are imported late."""
