"""Key hierarchy and sealing of credentials: the server keeps ciphertext and can open none of it by itself."""
