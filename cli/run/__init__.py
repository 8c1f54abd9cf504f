"""What the commands do and print, one file per command, under the name that it has in `parse`."""
