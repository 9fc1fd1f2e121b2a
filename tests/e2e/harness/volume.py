# SPDX-License-Identifier: MIT
"""Many bytes that need not be kept to be compared."""

import hashlib

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

MIB = 1 << 20


def noise(seed, total, piece=MIB):
    """Pseudo-random bytes, the same for the same seed."""
    stream = Cipher(algorithms.AES(bytes([seed]) * 16), modes.CTR(bytes(16))).encryptor()
    zeros = bytes(piece)
    for _ in range(total // piece):
        yield stream.update(zeros)


def receive(peer, total):
    """SHA-256 of the next `total` bytes."""
    digest, left = hashlib.sha256(), total
    while left:
        piece = peer.recv(min(left, MIB))
        assert piece, f"the connection ended {left} bytes early"
        digest.update(piece)
        left -= len(piece)
    return digest.hexdigest()


def send(peer, seed, total):
    for piece in noise(seed, total):
        peer.send(piece)


def digest_of(seed, total):
    digest = hashlib.sha256()
    for piece in noise(seed, total):
        digest.update(piece)
    return digest.hexdigest()
