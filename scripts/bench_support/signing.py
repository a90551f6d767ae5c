"""How fast this machine signs, which is what a token costs at the least."""

import multiprocessing
import time
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

# About as long as the signed part of an access token.
MESSAGE = b"x" * 500


def signing_rate(algorithm: str, seconds: float, processes: int = 2) -> float:
    """Signatures per second of this many processes together, each with a key of its own."""
    spawning = multiprocessing.get_context("spawn")
    with spawning.Pool(processes) as pool:
        # The first round imports the library and makes the keys, outside of the measured time.
        pool.starmap(_sign_for, [(algorithm, 0.1)] * processes, chunksize=1)
        return sum(pool.starmap(_sign_for, [(algorithm, seconds)] * processes, chunksize=1))


def _sign_for(algorithm: str, seconds: float) -> float:
    sign = _signer(algorithm)
    count = 0
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        for _ in range(20):
            sign()
        count += 20
    return count / elapsed


def _signer(algorithm: str) -> Callable[[], bytes]:
    if algorithm == "RS256":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return lambda: key.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    if algorithm == "ES256":
        curve = ec.generate_private_key(ec.SECP256R1())
        return lambda: curve.sign(MESSAGE, ec.ECDSA(hashes.SHA256()))
    raise ValueError(f"no signer for {algorithm}")
