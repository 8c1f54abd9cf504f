"""The leave to send money where no restore is played."""


async def always() -> None:
    """Money may be sent."""
