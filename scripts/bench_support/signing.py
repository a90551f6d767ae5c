"""How fast this machine signs and hashes passwords: what a token, a login cost at the least."""

import multiprocessing
import time
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from tenantry.keys.passwords import hash_password, verify_password

# About as long as the signed part of an access token.
MESSAGE = b"x" * 500


HASHING = "argon2"
PROVING = "two ES256 verifications and an RS256 signature"
FLOWING = "three ES256 verifications and two PS256 signatures"


def bare_rate(work: str, seconds: float, processes: int = 2) -> float:
    """Signatures by an algorithm, or passwords, per second of this many processes together."""
    spawning = multiprocessing.get_context("spawn")
    with spawning.Pool(processes) as pool:
        # The first round imports the library and makes the keys, outside of the measured time.
        pool.starmap(_work_for, [(work, 0.1)] * processes, chunksize=1)
        return sum(pool.starmap(_work_for, [(work, seconds)] * processes, chunksize=1))


def _work_for(work: str, seconds: float) -> float:
    do = _worker(work)
    count = 0
    start = time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        for _ in range(10):
            do()
        count += 10
    return count / elapsed


def _worker(work: str) -> Callable[[], object]:
    if work == HASHING:
        # The server's own function and parameters: what is measured is what it adds to them.
        stored = hash_password("correct horse battery staple")
        return lambda: verify_password("correct horse battery staple", stored)
    if work == PROVING:
        return _prover(verifications=2, signatures=1, algorithm="RS256")
    if work == FLOWING:
        return _prover(verifications=3, signatures=2, algorithm="PS256")
    return _signer(work)


def _prover(*, verifications: int, signatures: int, algorithm: str) -> Callable[[], object]:
    """What assertions, DPoP proofs and tokens cost without anything around them."""
    key = ec.generate_private_key(ec.SECP256R1())
    sign, signature = _signer(algorithm), key.sign(MESSAGE, ec.ECDSA(hashes.SHA256()))
    public = key.public_key()

    def prove() -> None:
        for _ in range(verifications):
            public.verify(signature, MESSAGE, ec.ECDSA(hashes.SHA256()))
        for _ in range(signatures):
            sign()

    return prove


def _signer(algorithm: str) -> Callable[[], bytes]:
    if algorithm == "RS256":
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return lambda: key.sign(MESSAGE, padding.PKCS1v15(), hashes.SHA256())
    if algorithm == "PS256":
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        return lambda: key.sign(MESSAGE, pss, hashes.SHA256())
    if algorithm == "ES256":
        curve = ec.generate_private_key(ec.SECP256R1())
        return lambda: curve.sign(MESSAGE, ec.ECDSA(hashes.SHA256()))
    raise ValueError(f"no signer for {algorithm}")
