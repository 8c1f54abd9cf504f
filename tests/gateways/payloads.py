"""What Paystack says of a charge, a transfer and a refund."""

from gateways.payment import JsonObject

CHARGE: JsonObject = {
    "id": 4099260516,
    "domain": "test",
    "status": "success",
    "reference": "ch-re4lyvq3s3",
    "amount": 40333,
    "requested_amount": 30050,
    "currency": "NGN",
    "fees": 10283,
    "channel": "card",
    "paid_at": "2024-08-22T09:15:02.000Z",
    "created_at": "2024-08-22T09:14:24.000Z",
    "metadata": "",
}
TRANSFER: JsonObject = {
    "id": 14938,
    "domain": "live",
    "status": "pending",
    "reference": "po-ref-unique-key-1",
    "transfer_code": "TRF_1ptvuv321ahaa7q",
    "amount": 100000,
    "currency": "NGN",
    "recipient": 28,
    "createdAt": "2024-08-22T09:14:24.000Z",
}
REFUND: JsonObject = {
    "id": 1,
    "domain": "test",
    "status": "pending",
    "amount": 10000,
    "currency": "NGN",
    "transaction": {"id": 1004723697, "reference": "ch-1", "amount": 10000},
    "merchant_note": "rf-1",
}
