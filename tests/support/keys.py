"""Private keys, made once per session: an RSA key takes a tenth of a second."""

from __future__ import annotations

import itertools
import threading
from collections import defaultdict

from tenantry.core.facts import SigningAlgorithm
from tenantry.keys.signing import PrivateKey, generate_private_key

KEYS_OF_EACH = 8
"""A tenant that takes more keys of one algorithm gets the first again."""

_lock = threading.Lock()
_made: defaultdict[SigningAlgorithm, list[PrivateKey]] = defaultdict(list)
_turns: defaultdict[SigningAlgorithm, itertools.count[int]] = defaultdict(itertools.count)


def key_source(alg: SigningAlgorithm) -> PrivateKey:
    """The next key of the pool of `alg`: a `KeySource`."""
    with _lock:
        made = _made[alg]
        turn = next(_turns[alg]) % KEYS_OF_EACH
        if turn == len(made):
            made.append(generate_private_key(alg))
        return made[turn]
