"""What can be typed: a file per command, with arguments and help. What it does, in `run`, is imported late."""
