"""What a process that is killed is to the tests of it."""


class Killed(BaseException):
    """The process ends here: nothing of the product catches it, as nothing outlives a `kill -9` or a power cut."""
