#!/usr/bin/env python3
"""Makes the vectors in this folder with implementations that share no code with Satchel's.

    python3 -m venv /tmp/vectors && . /tmp/vectors/bin/activate
    pip install blake3 pynacl argon2-cffi cryptography mnemonic     # cryptography >= 48 for ML-KEM
    python3 tests/vectors/crypto/make.py                            # rewrites *.json beside this file

Deterministic: running it again gives the same bytes. Independent of the Rust code are: XChaCha20-Poly1305
(libsodium), BLAKE3 (its own Python binding), Ed25519, X25519, ML-KEM-768 and ChaCha20-Poly1305 (OpenSSL),
Argon2id (the reference implementation in C), and, written out below, X-Wing, HPKE (RFC 9180), Noise
NNpsk0, HChaCha20 and the algebra of a ciphertext that opens under two keys. The X-Wing inputs in
source/xwing.json are those of draft-connolly-cfrg-xwing-kem.

A file holds {"about", "cases"}; a case holds "name", "operation", named inputs (hex unless they are
numbers or labels), and either "output" or the "error" code that must come back. A label is the text
after its date.
"""
import hashlib, hmac, json, os, struct

import blake3
import nacl.bindings as sodium
from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from mnemonic import Mnemonic

HERE = os.path.dirname(os.path.abspath(__file__))
DATE = "satchel 2026-11-22 "


class Stream:
    """Deterministic bytes for inputs."""

    def __init__(self, name):
        self.data, self.at = hashlib.shake_256(name.encode()).digest(1 << 16), 0

    def take(self, count):
        self.at += count
        return self.data[self.at - count : self.at]


def lp(*parts):
    return b"".join(struct.pack("<Q", len(part)) + part for part in parts)


def derive(label, *inputs, length=32):
    return blake3.blake3(lp(*inputs), derive_key_context=DATE + label).digest(length=length)


def aad(label, *parts):
    return lp((DATE + label).encode(), *parts)


def flip(data, bit):
    out = bytearray(data)
    out[bit // 8] ^= 1 << (bit % 8)
    return bytes(out)


def case(name, operation, output=None, error=None, **inputs):
    made = {"name": name, "operation": operation}
    for key, value in inputs.items():
        made[key] = value.hex() if isinstance(value, bytes) else value
    if error is None:
        made["output"] = output.hex() if isinstance(output, bytes) else output
    else:
        made["error"] = error
    return made


def write(name, about, cases):
    names = [made["name"] for made in cases]
    assert len(set(names)) == len(names), name
    with open(os.path.join(HERE, name + ".json"), "w") as out:
        json.dump({"about": about, "cases": cases}, out, indent=1)
        out.write("\n")
    print(name, sum("output" in made for made in cases), "valid,", sum("error" in made for made in cases), "invalid")


# --- derivation ---------------------------------------------------------------------------------


def derivations():
    stream, cases = Stream("derivations"), []
    for inputs in ([], [b""], [b"", b""], [b"ab", b"c"], [b"a", b"bc"], [stream.take(100)]):
        cases.append(case(f"body label, inputs of {[len(part) for part in inputs]} bytes {hashlib.sha256(lp(*inputs)).hexdigest()[:4]}", "derive",
                          derive("body", *inputs), label="body", inputs=[part.hex() for part in inputs]))
    records = stream.take(32)
    commons = derive("commons secret", records)
    discovery = derive("discovery secret", commons)
    secret = dict(records_secret=records)
    cases.append(case("commons secret", "derive_commons", commons, **secret))
    cases.append(case("records lane key", "derive_records_lane_key", derive("lane records", records), **secret))
    cases.append(case("turn id", "derive_turn_id", derive("turn id", commons, length=16), commons_secret=commons))
    cases.append(case("announce lane key", "derive_announce_lane_key", derive("lane announce", commons), commons_secret=commons))
    cases.append(case("commons lane key", "derive_commons_lane_key", derive("lane commons", commons), commons_secret=commons))
    cases.append(case("discovery secret", "derive_discovery", discovery, commons_secret=commons))
    for which in ("pull", "push"):
        public = ed_public(derive(which + " keypair", commons))
        cases.append(case(f"{which} key pair's public half", f"derive_{which}_keypair", public, commons_secret=commons))
    cases.append(case("psk of members", "derive_psk", derive("psk discovery", discovery), discovery_secret=discovery))
    invitation = stream.take(16)
    cases.append(case("psk of an invitation", "derive_psk", derive("psk invitation", invitation), invitation_secret=invitation))
    for hour in (0, 498_696, 2**32 - 1):
        salt = stream.take(16)
        tag = blake3.blake3(struct.pack("<I", hour) + salt, key=derive("discovery tag", discovery)).digest(length=16)
        cases.append(case(f"discovery tag of hour {hour}", "discovery_tag", tag, discovery_secret=discovery, hour=hour, salt=salt))
    salt = stream.take(16)
    cases.append(case("hello tag", "hello_tag", blake3.blake3(salt, key=derive("hello tag", discovery)).digest(length=16),
                      discovery_secret=discovery, salt=salt))
    record = stream.take(16)
    cases.append(case("erasure token", "keyed_token", blake3.blake3(record, key=derive("tombstone token", salt)).digest(length=16),
                      salt=salt, record=record))
    for hash_ in (bytes(32), stream.take(32)):
        bits = derive("check words", hash_)[:8]
        words = [Mnemonic("english").wordlist[n & 0x7FF] for n in struct.unpack("<4H", bits)]
        cases.append(case(f"check words of {hash_[:2].hex()}", "check_words", " ".join(words), handshake_hash=hash_))
    public = ed_public(stream.take(32))
    cases.append(case("device id", "device_id", derive("device id", public, length=16), verifying_key=public))
    write("derivations", "Derived keys, ids, tags, tokens and words", cases)


# --- sealing ------------------------------------------------------------------------------------


def pair(key, nonce):
    both = derive("seal", key, nonce, length=64)
    return both[:32], both[32:]


def seal(key, nonce, data, plaintext):
    commitment, encryption = pair(key, nonce)
    return nonce + commitment + sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plaintext, data, nonce, encryption)


def sealing():
    stream, cases = Stream("sealing"), []
    base = None
    for length in (0, 1, 15, 16, 17, 64, 300):
        key, nonce, plaintext, part = stream.take(32), stream.take(24), stream.take(length), stream.take(16)
        sealed = seal(key, nonce, aad("body", part), plaintext)
        fields = dict(key=key, label="body", parts=[part.hex()])
        cases.append(case(f"seal {length} bytes", "seal", sealed, nonce=nonce, plaintext=plaintext, **fields))
        cases.append(case(f"open {length} bytes", "open", plaintext, sealed=sealed, **fields))
        if length == 64:
            base = key, sealed, part
    key, sealed, part = base
    fields = dict(key=key, label="body", parts=[part.hex()])
    for length in (0, 1, 24, 56, 71):
        cases.append(case(f"cut to {length} bytes", "open", error="open.length", sealed=sealed[:length], **fields))
    for bit in (0, 7, 100, 191):
        cases.append(case(f"nonce bit {bit} flipped", "open", error="open.commitment", sealed=flip(sealed, bit), **fields))
    for bit in (192, 300, 447):
        cases.append(case(f"commitment bit {bit} flipped", "open", error="open.commitment", sealed=flip(sealed, bit), **fields))
    for bit in (448, 600, 959, 960, 1000, 1087):
        cases.append(case(f"ciphertext or tag bit {bit} flipped", "open", error="open.tag", sealed=flip(sealed, bit), **fields))
    for cut in (1, 16):
        cases.append(case(f"{cut} bytes cut off the end", "open", error="open.tag", sealed=sealed[:-cut], **fields))
    cases.append(case("a byte appended", "open", error="open.tag", sealed=sealed + b"\0", **fields))
    for bit in (0, 128, 255):
        cases.append(case(f"key bit {bit} flipped", "open", error="open.commitment", sealed=sealed, key=flip(key, bit), label="body", parts=[part.hex()]))
    for label, parts, what in (("cover", [part], "another label"), ("body", [], "no parts"), ("body", [part, b""], "an empty part more"),
                               ("body", [part[:8], part[8:]], "the part cut in two"), ("body", [flip(part, 3)], "another part")):
        cases.append(case(f"associated data: {what}", "open", error="open.tag", sealed=sealed, key=key, label=label, parts=[p.hex() for p in parts]))
    plain = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(b"x" * 64, aad("body", part), sealed[:24], key)
    cases.append(case("no commitment: plain XChaCha20-Poly1305 under the key itself", "open", error="open.commitment", sealed=sealed[:24] + bytes(32) + plain, **fields))

    wrapping, nonce, secret = stream.take(32), stream.take(24), stream.take(32)
    inner = lambda kind: aad("wrap", kind, aad("page", part))
    wrapped = seal(wrapping, nonce, inner(b"RecordKey"), secret)
    fields = dict(key=wrapping, label="page", parts=[part.hex()])
    cases.append(case("wrap a record key", "wrap_record_key", wrapped, nonce=nonce, secret=secret, **fields))
    cases.append(case("unwrap a record key", "unwrap_record_key", secret, sealed=wrapped, **fields))
    refused = [("a page key in place of a record key", seal(wrapping, nonce, inner(b"PageKey"), secret), "open.tag"),
               ("sealed, not wrapped", seal(wrapping, nonce, aad("page", part), secret), "open.tag"),
               ("31 bytes wrapped", seal(wrapping, nonce, inner(b"RecordKey"), secret[:31]), "open.length"),
               ("33 bytes wrapped", seal(wrapping, nonce, inner(b"RecordKey"), secret + b"\0"), "open.length"),
               ("under another key", seal(flip(wrapping, 9), nonce, inner(b"RecordKey"), secret), "open.commitment")]
    for name, bytes_, error in refused:
        cases.append(case("wrapped: " + name, "unwrap_record_key", error=error, sealed=bytes_, **fields))
    cases.append(collision(stream))
    write("sealing", "The committing AEAD and wrapped keys", cases)


# --- a ciphertext that opens under two keys ---------------------------------------------------------

P = 2**130 - 5


def rotate(value, count):
    return ((value << count) | (value >> (32 - count))) & 0xFFFFFFFF


def rounds(state):
    x = list(state)

    def quarter(a, b, c, d):
        x[a] = (x[a] + x[b]) & 0xFFFFFFFF; x[d] = rotate(x[d] ^ x[a], 16)
        x[c] = (x[c] + x[d]) & 0xFFFFFFFF; x[b] = rotate(x[b] ^ x[c], 12)
        x[a] = (x[a] + x[b]) & 0xFFFFFFFF; x[d] = rotate(x[d] ^ x[a], 8)
        x[c] = (x[c] + x[d]) & 0xFFFFFFFF; x[b] = rotate(x[b] ^ x[c], 7)

    for _ in range(10):
        quarter(0, 4, 8, 12); quarter(1, 5, 9, 13); quarter(2, 6, 10, 14); quarter(3, 7, 11, 15)
        quarter(0, 5, 10, 15); quarter(1, 6, 11, 12); quarter(2, 7, 8, 13); quarter(3, 4, 9, 14)
    return x


SIGMA = struct.unpack("<4I", b"expand 32-byte k")


def poly_key(encryption, nonce24):
    """(r, s) of XChaCha20-Poly1305: draft-irtf-cfrg-xchacha-03, RFC 8439 sections 2.5 and 2.6."""
    x = rounds([*SIGMA, *struct.unpack("<8I", encryption), *struct.unpack("<4I", nonce24[:16])])
    subkey = x[0:4] + x[12:16]
    state = [*SIGMA, *subkey, 0, 0, *struct.unpack("<2I", nonce24[16:])]
    block = struct.pack("<16I", *[(a + b) & 0xFFFFFFFF for a, b in zip(rounds(state), state)])
    r = int.from_bytes(block[:16], "little") & 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
    return r, int.from_bytes(block[16:32], "little")


def collision(stream):
    """Two keys, one nonce, one associated data, one ciphertext and tag. Blocks 0 and 1 of four are solved for."""
    first, second, nonce, part = stream.take(32), stream.take(32), stream.take(24), stream.take(16)
    data = aad("body", part)
    (r1, s1), (r2, s2) = poly_key(pair(first, nonce)[1], nonce), poly_key(pair(second, nonce)[1], nonce)
    tail = [stream.take(16), stream.take(16)]
    padded = data + bytes(-len(data) % 16)
    head = [padded[at : at + 16] for at in range(0, len(padded), 16)]
    count = len(head) + 5
    lengths = struct.pack("<QQ", len(data), 64)

    def fixed(r):
        known = [*head, None, None, *tail, lengths]
        return sum((int.from_bytes(block, "little") + 2**128) * pow(r, count - at, P) for at, block in enumerate(known) if block is not None) % P

    e0, e1 = count - len(head), count - len(head) - 1
    a, b, c, d = pow(r1, e0, P), pow(r1, e1, P), pow(r2, e0, P), pow(r2, e1, P)
    inverse = pow((a * d - b * c) % P, -1, P)
    for tag in range(1, 10_000):
        for over1 in range(4):
            for over2 in range(4):
                h1, h2 = (tag - s1) % 2**128 + over1 * 2**128, (tag - s2) % 2**128 + over2 * 2**128
                if h1 >= P or h2 >= P:
                    continue
                u, v = (h1 - fixed(r1)) % P, (h2 - fixed(r2)) % P
                x, y = (u * d - b * v) * inverse % P, (a * v - c * u) * inverse % P
                if 2**128 <= x < 2**129 and 2**128 <= y < 2**129:
                    blocks = (x - 2**128).to_bytes(16, "little") + (y - 2**128).to_bytes(16, "little")
                    ciphertext = blocks + b"".join(tail) + tag.to_bytes(16, "little")
                    commitment, encryption = pair(first, nonce)
                    _, other = pair(second, nonce)
                    # both must open without the commitment, or this case proves nothing
                    opened = [sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(ciphertext, data, nonce, key) for key in (encryption, other)]
                    assert opened[0] != opened[1]
                    return case("one ciphertext, two keys: refused by the commitment", "open_collision", error="open.commitment",
                                sealed=nonce + commitment + ciphertext, key=first, other_key=second, label="body", parts=[part.hex()],
                                opens_as=[plain.hex() for plain in opened])
    raise SystemExit("no collision found")


# --- signatures ---------------------------------------------------------------------------------

L = 2**252 + 27742317777372353535851937790883648493


def ed_public(seed):
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def ed_sign(seed, label, message):
    return Ed25519PrivateKey.from_private_bytes(seed).sign((DATE + label).encode() + b"\0" + message)


SMALL_ORDER = ["0100000000000000000000000000000000000000000000000000000000000000",
               "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
               "0000000000000000000000000000000000000000000000000000000000000000",
               "0000000000000000000000000000000000000000000000000000000000000080",
               "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
               "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
               "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
               "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
               # the same points in their second encodings, and "minus zero"
               "0100000000000000000000000000000000000000000000000000000000000080",
               "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
               "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
               "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
               "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
               "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"]


def signatures():
    stream, cases = Stream("signatures"), []
    for length in (0, 1, 64, 200):
        seed, message = stream.take(32), stream.take(length)
        signature = ed_sign(seed, "sign body", message)
        cases.append(case(f"sign {length} bytes", "sign", signature, seed=seed, label="sign body", message=message))
        cases.append(case(f"verify {length} bytes", "verify", "", verifying_key=ed_public(seed), label="sign body", message=message, signature=signature))
    public = ed_public(seed)
    fields = dict(verifying_key=public, label="sign body", message=message)
    refuse = lambda name, signature, **other: cases.append(case(name, "verify", error="signature.wrong", **{**fields, **other}, signature=signature))
    for bit in (0, 128, 255, 256, 300, 508):
        refuse(f"signature bit {bit} flipped", flip(signature, bit))
    s = int.from_bytes(signature[32:], "little")
    for times in (1, 2, 8, 14):
        refuse(f"s + {times} L", signature[:32] + (s + times * L).to_bytes(32, "little"))
    refuse("s = L", signature[:32] + L.to_bytes(32, "little"))
    refuse("all zeros", bytes(64))
    refuse("all ones", b"\xff" * 64)
    for bit in (0, 1599):
        refuse(f"message bit {bit} flipped", signature, message=flip(message, bit))
    refuse("message cut short", signature, message=message[:-1])
    refuse("another label", signature, label="sign turn")
    refuse("another key", signature, verifying_key=ed_public(stream.take(32)))
    refuse("signed without a label", Ed25519PrivateKey.from_private_bytes(seed).sign(message))
    # "sign" + NUL + "body..." must not pass for another label
    refuse("label and message run together", ed_sign(seed, "sign body", b"\0" + message))
    # R is the neutral element: a loose verifier accepts it, because s = k a solves the equation
    digest = bytearray(hashlib.sha512(seed).digest()[:32])
    digest[0] &= 248; digest[31] = digest[31] & 127 | 64
    neutral = bytes.fromhex(SMALL_ORDER[0])
    k = int.from_bytes(hashlib.sha512(neutral + public + (DATE + "sign body").encode() + b"\0" + message).digest(), "little")
    refuse("R of small order, which the loose equation accepts", neutral + (k * int.from_bytes(digest, "little") % L).to_bytes(32, "little"))
    for key in SMALL_ORDER:
        cases.append(case(f"key of small order {key[:4]}..{key[-2:]}", "verifying_key", error="signature.key", verifying_key=key))
    for low in range(0xED, 0x100):
        for high in (0x7F, 0xFF):
            key = bytes([low]) + b"\xff" * 30 + bytes([high])
            if key.hex() not in SMALL_ORDER:
                cases.append(case(f"key not below the prime {low:02x}..{high:02x}", "verifying_key", error="signature.key", verifying_key=key))
    cases.append(case("not on the curve", "verifying_key", error="signature.key", verifying_key="02" + "00" * 31))
    cases.append(case("31 bytes", "verifying_key", error="signature.key", verifying_key=public[:31]))
    cases.append(case("33 bytes", "verifying_key", error="signature.key", verifying_key=public + b"\0"))
    cases.append(case("an honest key", "verifying_key", public, verifying_key=public))
    write("signatures", "Ed25519 under labels, strictly verified", cases)


# --- passphrases --------------------------------------------------------------------------------


def passphrases():
    stream, cases = Stream("passphrases"), []
    for memory, passes, lanes, keystore, passphrase in ((19 * 1024, 2, 1, None, b"abandon ability able about above"),
                                                        (19 * 1024, 1, 4, stream.take(32), "pâté à la crème".encode()),
                                                        (20 * 1024 + 3, 1, 1, stream.take(32), b"\0")):
        salt = stream.take(16)
        stretched = hash_secret_raw(passphrase, salt, passes, memory, lanes, 32, Type.ID)
        key = derive("unlock passphrase", stretched) if keystore is None else derive("unlock passphrase and keystore", stretched)
        cases.append(case(f"{memory} KiB, {passes} passes, {lanes} lanes, {'no ' if keystore is None else ''}keystore", "unlock_key", key,
                          passphrase=passphrase, salt=salt, memory_kib=memory, passes=passes, lanes=lanes, has_keystore=0 if keystore is None else 1))
    for memory, passes, lanes in ((0, 1, 1), (8, 1, 1), (32, 3, 4), (19 * 1024 - 1, 1, 1), (256 * 1024 + 1, 1, 1), (2**32 - 1, 1, 1),
                                  (64 * 1024, 0, 1), (64 * 1024, 17, 1), (64 * 1024, 2**32 - 1, 1), (64 * 1024, 1, 0), (64 * 1024, 1, 5),
                                  (64 * 1024, 1, 2**24), (2**32 - 1, 2**32 - 1, 2**32 - 1)):
        cases.append(case(f"a crafted slot: {memory} KiB, {passes} passes, {lanes} lanes", "unlock_key", error="passphrase.params",
                          passphrase=b"x", salt=bytes(16), memory_kib=memory, passes=passes, lanes=lanes))
    cases.append(case("an empty passphrase", "unlock_key", error="passphrase.length", passphrase=b"", salt=bytes(16), memory_kib=19456, passes=1, lanes=1))
    cases.append(case("a passphrase of 1,025 bytes", "unlock_key", error="passphrase.length", passphrase=b"x" * 1025, salt=bytes(16), memory_kib=19456, passes=1, lanes=1))
    write("passphrases", "Argon2id, and the key that opens a slot", cases)


# --- boxes --------------------------------------------------------------------------------------


def xwing_keys(sk):
    expanded = hashlib.shake_256(sk).digest(96)
    ml, x = MLKEM768PrivateKey.from_seed_bytes(expanded[:64]), X25519PrivateKey.from_private_bytes(expanded[64:])
    x_public = x.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return ml, x, x_public, ml.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw) + x_public


def xwing_open(sk, ct):
    ml, x, x_public, _ = xwing_keys(sk)
    shared_x = x.exchange(X25519PublicKey.from_public_bytes(ct[1088:]))
    return hashlib.sha3_256(ml.decapsulate(ct[:1088]) + shared_x + ct[1088:] + x_public + rb"\.//^" + b"\\").digest()


def hpke_seal(shared, info, data, plaintext, ids=(0x647A, 0x0001, 0x0003)):
    """RFC 9180 section 5.1, base mode, first message."""
    suite = b"HPKE" + b"".join(struct.pack(">H", number) for number in ids)
    extract = lambda salt, label, ikm: hmac.new(salt or bytes(32), b"HPKE-v1" + suite + label + ikm, "sha256").digest()

    def expand(prk, label, context, length):
        return hmac.new(prk, struct.pack(">H", length) + b"HPKE-v1" + suite + label + context + b"\x01", "sha256").digest()[:length]

    context = b"\0" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    secret = extract(shared, b"secret", b"")
    return ChaCha20Poly1305(expand(secret, b"key", context, 32)).encrypt(expand(secret, b"base_nonce", context, 12), plaintext, data)


def boxes():
    stream, cases = Stream("boxes"), []
    info = (DATE + "box").encode() + b"\x01"
    vectors = json.load(open(os.path.join(HERE, "source", "xwing.json")))["vectors"]
    for number, (vector, length) in enumerate(zip(vectors, (32, 0, 500))):
        sk, eseed, ss, pk, ct = (bytes.fromhex(vector[name]) for name in ("sk", "eseed", "ss", "pk", "ct"))
        assert xwing_keys(sk)[3] == pk and xwing_open(sk, ct) == ss, "the draft's own vector"
        part, plaintext = stream.take(16), stream.take(length)
        sealed = b"\x01" + ct + hpke_seal(ss, info, aad("box records secret", part), plaintext)
        fields = dict(label="box records secret", parts=[part.hex()])
        cases.append(case(f"draft key {number}", "receiving_public_key", pk, receiving_key=sk))
        cases.append(case(f"seal {length} bytes to draft key {number}", "seal_box", sealed, receiving_public_key=pk, randomness=eseed, plaintext=plaintext, **fields))
        cases.append(case(f"open {length} bytes with draft key {number}", "open_box", plaintext, receiving_key=sk, sealed=sealed, **fields))
        if number == 0:
            base = sk, pk, ss, ct, sealed, part, plaintext, fields
    sk, pk, ss, ct, sealed, part, plaintext, fields = base
    refuse = lambda name, bytes_, error="box.closed", **other: cases.append(case(name, "open_box", error=error, **{"receiving_key": sk, **fields, **other}, sealed=bytes_))
    refuse("nothing", b"", "box.length")
    refuse("the suite alone", b"\x01", "box.length")
    refuse("one byte short of an empty box", sealed[:1136], "box.length")
    for suite in (0, 2, 255):
        refuse(f"suite {suite}", bytes([suite]) + sealed[1:], "box.suite")
    for at in (1, 500, 1088, 1089, 1119, 1120, 1121, 1152, 1153, 1168):
        refuse(f"byte {at} altered", flip(sealed, 8 * at))
    refuse("cut short", sealed[:-1])
    refuse("a byte appended", sealed + b"\0")
    refuse("another key", sealed, receiving_key=flip(sk, 0))
    refuse("another label", sealed, label="box commons secret")
    refuse("another part", sealed, parts=[flip(part, 1).hex()])
    refuse("no parts", sealed, parts=[])
    data = aad("box records secret", part)
    refuse("info without the suite", b"\x01" + ct + hpke_seal(ss, info[:-1], data, plaintext))
    refuse("another KDF's id", b"\x01" + ct + hpke_seal(ss, info, data, plaintext, (0x647A, 0x0003, 0x0003)))
    refuse("classical KEM's id", b"\x01" + ct + hpke_seal(ss, info, data, plaintext, (0x0020, 0x0001, 0x0003)))
    not_reduced = b"\xff\xff\xff" + pk[3:]
    for name, key in (("cut short", pk[:-1]), ("too long", pk + b"\0"), ("empty", b""), ("ML-KEM coefficient not below 3329", not_reduced)):
        cases.append(case(f"receiving key: {name}", "read_receiving_public_key", error="box.key", receiving_public_key=key))
    write("boxes", "HPKE with X-Wing", cases)


# --- sessions -----------------------------------------------------------------------------------


def blake2s(data):
    return hashlib.blake2s(data).digest()


def hkdf(ck, ikm, count):
    mac = lambda key, data: hmac.new(key, data, hashlib.blake2s).digest()
    temp, out = mac(ck, ikm), [b""]
    for number in range(1, count + 1):
        out.append(mac(temp, out[-1] + bytes([number])))
    return out[1:]


def noise_nonce(n):
    return bytes(4) + struct.pack("<Q", n)


def noise(psk, prologue, dialer, listener):
    """Noise_NNpsk0: the two handshake messages, the hash, and both transport keys."""
    public = lambda key: X25519PrivateKey.from_private_bytes(key).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    name = b"Noise_NNpsk0_25519_ChaChaPoly_BLAKE2s"
    h = name + bytes(32 - len(name)) if len(name) <= 32 else blake2s(name)
    ck, h = h, blake2s(h + prologue)
    ck, temp, k = hkdf(ck, psk, 3)
    h = blake2s(h + temp)
    messages = []
    for number, key in enumerate((dialer, listener)):
        e = public(key)
        h = blake2s(h + e)
        ck, k = hkdf(ck, e, 2)
        if number == 1:
            shared = X25519PrivateKey.from_private_bytes(listener).exchange(X25519PublicKey.from_public_bytes(public(dialer)))
            ck, k = hkdf(ck, shared, 2)
        tag = ChaCha20Poly1305(k).encrypt(noise_nonce(0), b"", h)
        h = blake2s(h + tag)
        messages.append(e + tag)
    return messages, h, hkdf(ck, b"", 2)


def sessions():
    stream, cases = Stream("sessions"), []
    psk, dialer, listener = stream.take(32), stream.take(32), stream.take(32)
    hello = b"hello"
    prologue = aad("noise", hello)
    messages, hash_, (to_listener, to_dialer) = noise(psk, prologue, dialer, listener)
    plaintext = [b"", b"from the dialer", b"and again"]
    sealed = [ChaCha20Poly1305(to_listener).encrypt(noise_nonce(n), text, None) for n, text in enumerate(plaintext)]
    answer = ChaCha20Poly1305(to_dialer).encrypt(noise_nonce(0), b"from the listener", None)
    both = dict(psk=psk, hello=hello)
    cases.append(case("a whole session", "session", hash_, **both, dialer_ephemeral=dialer, listener_ephemeral=listener,
                      handshake=[message.hex() for message in messages], plaintext=[text.hex() for text in plaintext],
                      sealed=[message.hex() for message in sealed], answer_plaintext=b"from the listener", answer=answer))
    refuse = lambda name, message, error="noise.refused", **other: cases.append(case(name, "listen", error=error, **{**both, **other}, message=message))
    refuse("another psk", messages[0], psk=flip(psk, 77))
    refuse("a psk of zeros", messages[0], psk=bytes(32))
    refuse("another hello", messages[0], hello=b"hellp")
    refuse("an empty hello", messages[0], hello=b"")
    for bit in (0, 200, 256, 383):
        refuse(f"bit {bit} of the first message flipped", flip(messages[0], bit))
    refuse("the second message in place of the first", messages[1])
    for length in (0, 32, 47):
        refuse(f"the first message cut to {length} bytes", messages[0][:length], "noise.length")
    refuse("a byte appended to the first message", messages[0] + b"\0", "noise.length")
    without = noise(psk, hello, dialer, listener)[0][0]
    refuse("a prologue without its label", without)
    write("sessions", "Noise NNpsk0", cases)


for make in (derivations, sealing, signatures, passphrases, boxes, sessions):
    make()
