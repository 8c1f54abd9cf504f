"""The formats as docs/reference/vault-format.md tells them, in another library: nothing of the product is used."""

from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol import HPKE
from Crypto.Protocol.DH import import_x25519_private_key
from Crypto.Protocol.KDF import HKDF


def fields(purpose: bytes, *rest: bytes) -> bytes:
    return b"".join(len(field).to_bytes(4, "big") + field for field in (b"escrow/v1/" + purpose, *rest))


def number(value: int) -> bytes:
    return value.to_bytes(8, "big")


def expand(secret: bytes, info: bytes) -> bytes:
    key = HKDF(secret, 32, b"", SHA256, context=info)
    assert isinstance(key, bytes)
    return key


def open_gcm(key: bytes, sealed: bytes, aad: bytes) -> bytes:
    assert sealed[:1] == b"\x01"
    cipher = AES.new(key, AES.MODE_GCM, nonce=sealed[1:13])
    cipher.update(aad)
    return cipher.decrypt_and_verify(sealed[13:-16], sealed[-16:])


def open_hpke(private_key: bytes, sealed: bytes, info: bytes) -> bytes:
    receiver = HPKE.new(
        receiver_key=import_x25519_private_key(private_key), aead_id=HPKE.AEAD.AES256_GCM, enc=sealed[:32], info=info
    )
    return receiver.unseal(sealed[32:])
