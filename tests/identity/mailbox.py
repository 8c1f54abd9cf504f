"""Where mailed codes arrive."""


class Mailbox:
    """Where the sent codes are."""

    def __init__(self) -> None:
        self.codes: list[str] = []

    async def send(self, _email: str, code: str) -> None:
        self.codes.append(code)
