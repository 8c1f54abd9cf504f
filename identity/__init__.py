"""People: users, roles, passwords, keys, sessions, payout accounts. Personal data stands in these tables only."""
