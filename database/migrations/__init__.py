"""Numbered SQL files, applied once each and in order by `database.migrate`; never edited after release."""
