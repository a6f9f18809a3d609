"""Request bodies for schemathesis, which knows no CBOR: what it makes up is sent as it is, or dressed as a map of the
kinds of values that frames consist of, so that some of it gets past the first byte of the decoder."""

import hashlib

import schemathesis


def dressed(text: bytes) -> bytes:
    how = hashlib.sha256(text).digest()
    if how[0] % 3 == 0:
        return text
    fields = how[1] % 12
    out = bytes([0xA0 + fields])
    for key in range(fields):
        value = hashlib.sha256(text + bytes([key])).digest()[: how[2] % 33]
        as_bytes = bytes([0x58, len(value)]) + value
        shapes = (as_bytes, bytes([0x1A]) + (value + bytes(4))[:4], bytes([0x80]), bytes([0x81]) + as_bytes)
        out += bytes([key]) + shapes[how[3 + key % 8] % len(shapes)]
    return out


@schemathesis.serializer("application/cbor")
def frame(_context, value):
    if isinstance(value, str):
        value = value.encode("utf-8", "surrogatepass")
    elif not isinstance(value, bytes):
        value = repr(value).encode()
    return dressed(value)


@schemathesis.deserializer("application/cbor")
def read(_context, response):
    return response.content.decode("latin-1")
