#!/usr/bin/env python3
"""Makes pake.txt with the `spake2` package for Python, which shares no code with the Rust crate.

    pip install spake2 && python3 tests/vectors/crypto/pake.py

For each code: both sides' draws (64 bytes, a scalar in little endian), both messages, the key.
"""
import hashlib, os
from spake2 import SPAKE2_A, SPAKE2_B

ORDER = 2**252 + 27742317777372353535851937790883648493
lines = ["# SPAKE2, Ed25519: for each code the joiner's and the host's draw, their messages, the key"]
for code in (b"abandon ability able", b"zoo zone zero"):
    sides, draws = [], []
    for side, kind in ((b"joiner", SPAKE2_A), (b"host", SPAKE2_B)):
        scalar = int.from_bytes(hashlib.sha512(side + code).digest(), "little") % ORDER
        draws.append(scalar.to_bytes(64, "little"))
        state = kind(code, idA=b"satchel join", idB=b"satchel host")
        group = state.params.group
        original, group.random_scalar = group.random_scalar, lambda entropy, scalar=scalar: scalar
        sides.append((state, state.start()))
        group.random_scalar = original
    (a, hello), (b, reply) = sides
    key = a.finish(reply)
    assert key == b.finish(hello)
    lines += [value.hex() for value in (*draws, hello, reply, key)]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "pake.txt"), "w") as out:
    out.write("\n".join(lines) + "\n")
