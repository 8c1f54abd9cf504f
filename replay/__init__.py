"""Replay: prove the log, compare the read models with it, rebuild what differs, show the past."""
