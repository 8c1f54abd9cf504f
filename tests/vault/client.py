"""What a client does with a sealed answer, as docs/reference/vault-format.md says; the product only seals them."""

from vault.deposit import Document
from vault.reveal import Reveal
from vault.sealing import KeySuite, context, unseal_from
from vault.secret import Secret


def open_answer(sealed: bytes, reveal: Reveal, client_private_key: Secret) -> Document:
    """Raises SealBroken for another key or another showing."""
    place = (reveal.transaction_id, reveal.deposit_id, reveal.user_id, reveal.command_id)
    padded = unseal_from(client_private_key, sealed, context("reveal", KeySuite.X25519, *place))
    return Document(content=Secret(padded.reveal().rstrip(b" ")))
