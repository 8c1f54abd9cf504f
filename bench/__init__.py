"""How fast it is, beside its yardsticks in the same run: `make bench`."""
