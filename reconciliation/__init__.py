"""Reconciliation: the payment processor's books held against ours, line by line, by reference and never by amount."""
