"""The way to the payment page."""

from pydantic import BaseModel, Field

from api.views.transaction import TransactionView


class PaymentPageView(BaseModel):
    """Where to pay; both are null in a dry run. Whoever has the address can open the page, so keep it to yourself."""

    reference: str | None
    authorization_url: str | None = Field(repr=False)
    transaction: TransactionView
