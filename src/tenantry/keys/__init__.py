"""Cryptography, and nothing else: signing, envelopes, digests, passwords."""
