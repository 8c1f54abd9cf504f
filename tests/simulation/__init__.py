"""The whole system under one clock and one die: random people, a misbehaving processor, crashes; a model beside it.

`python -m tests.simulation --seeds N --first S` runs seeds; what happens in one depends on nothing but its number.
"""
