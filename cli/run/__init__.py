"""What the commands do and print: a file for each that `parse` has, and one for each noun among its subcommands."""
