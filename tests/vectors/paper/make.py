#!/usr/bin/env python3
"""Makes shares.json with an implementation of Shamir's scheme and of the paper format that shares no code with Satchel's.

    python3 -m venv /tmp/vectors && . /tmp/vectors/bin/activate
    pip install blake3 mnemonic
    python3 tests/vectors/paper/make.py

GF(256) is that of FIPS 197, by a table of logarithms to the base 3 (vsss-rs multiplies bit by bit); a share is the
polynomial's value by Horner's rule, and each set is checked by Lagrange interpolation over every choice of k shares.
Deterministic: running it again gives the same bytes.
"""
import base64, hashlib, itertools, json, os, struct

import blake3
from mnemonic import Mnemonic

HERE = os.path.dirname(os.path.abspath(__file__))
DATE = "satchel 2026-11-22 "
WORDS = Mnemonic("english").wordlist

EXP, LOG, value = [0] * 510, [0] * 256, 1
for power in range(255):
    EXP[power] = EXP[power + 255] = value
    LOG[value] = power
    value ^= (value << 1) ^ (0x11B if value & 0x80 else 0)
    value &= 0xFF


def mul(a, b):
    return EXP[LOG[a] + LOG[b]] if a and b else 0


def div(a, b):
    return EXP[LOG[a] + 255 - LOG[b]] if a else 0


def evaluate(coefficients, x):
    result = 0
    for coefficient in reversed(coefficients):
        result = mul(result, x) ^ coefficient
    return result


def interpolate(points):
    result = 0
    for i, (x, y) in enumerate(points):
        weight = 1
        for j, (other, _) in enumerate(points):
            if i != j:
                weight = mul(weight, div(other, other ^ x))
        result ^= mul(y, weight)
    return result


def lp(*parts):
    return b"".join(struct.pack("<Q", len(part)) + part for part in parts)


def derive(label, *inputs):
    return blake3.blake3(lp(*inputs), derive_key_context=DATE + label).digest(length=16)


def content(purpose, k, n, index, team, set_id, share):
    head = bytes([1 << 4 | purpose, (k - 1) << 4 | (n - 1), (index - 1) << 4])
    return head + derive("paper team", team)[:4] + set_id + share


def words(body):
    bits = "".join(f"{byte:08b}" for byte in body + derive("paper check", body)[:6])[: 35 * 11]
    return " ".join(WORDS[int(bits[at : at + 11], 2)] for at in range(0, len(bits), 11))


def text(body):
    encoded = base64.b32encode(body + derive("paper check", body)[:5]).decode().rstrip("=")
    return "SATCHELPAPER1:" + encoded


cases = []
for number, (purpose, k, n) in enumerate([(1, 2, 2), (1, 2, 3), (1, 3, 5), (1, 5, 6), (1, 16, 16), (2, 1, 1), (2, 2, 4)]):
    noise = hashlib.shake_256(b"satchel paper %d" % number).digest(4096)
    team, set_id, secret, rest = noise[:16], noise[16:20], bytearray(noise[20:52]), noise[52:]
    # bytes whose highest coefficient is zero, and a secret byte of zero: nothing may depend on them
    polynomials = [[secret[i]] + list(rest[i * (k - 1) : (i + 1) * (k - 1)]) for i in range(32)]
    secret[3] = polynomials[3][0] = 0
    if k > 1:
        polynomials[5][-1] = 0
    shares = {x: bytes(evaluate(p, x) for p in polynomials) for x in range(1, n + 1)}
    for chosen in itertools.islice(itertools.combinations(shares, k), 50):
        assert bytes(interpolate([(x, shares[x][i]) for x in chosen]) for i in range(32)) == bytes(secret)
    bodies = [content(purpose, k, n, x, team, set_id, share) for x, share in shares.items()]
    cases.append({
        "name": f"{k} of {n}",
        "purpose": ["recovery", "reseat"][purpose - 1],
        "threshold": k,
        "team": team.hex(),
        "set": set_id.hex(),
        "secret": bytes(secret).hex(),
        "words": [words(body) for body in bodies],
        "texts": [text(body) for body in bodies],
    })

with open(os.path.join(HERE, "shares.json"), "w") as file:
    json.dump({"about": "paper shares, made by make.py", "cases": cases}, file, indent=1)
    file.write("\n")
