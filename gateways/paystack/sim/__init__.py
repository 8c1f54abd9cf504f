"""A stand-in for Paystack: its endpoints, error bodies, webhooks and retry schedule, with faults on demand.

It is a state machine with its own journal of every movement of money, so that a checker outside the escrow can say what
really left and came. It moves no real money and is not for the internet: it listens on the loopback interface only.
"""
