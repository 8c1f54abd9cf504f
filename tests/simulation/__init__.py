"""The whole system under one clock and one die: random people, a misbehaving processor, crashes; a model beside it.

`.venv/bin/python -m tests.simulation --seeds N --first S` runs seeds; what happens in one depends on its number and
the sizes and flags that were asked for, on nothing else.
"""
