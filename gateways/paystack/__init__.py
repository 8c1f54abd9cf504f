"""Paystack: a thin asynchronous client, webhook signatures, and a stand-in server that speaks the same protocol."""
