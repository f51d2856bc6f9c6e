"""Makes tests/checkpoint/data/safetensors_cases.jsonl: small files with the verdict of safetensors.

Run from the root of the repository, in the environment of tools/goldens/setup:
    .venv-goldens/bin/python tools/goldens/safetensors_cases.py

A line is {"name", "file" (base64), "accepted": by the library, "tensors": [[name, dtype, shape,
base64 of the data], ...] sorted by name, when accepted}, and "stricter" with the rule of ours by
which an accepted file is refused. A "-0" in place of 0 is left out: the library refuses it, ours not.
"""
import base64
import json
import random
import struct

from safetensors import SafetensorError, deserialize

OUTPUT = "tests/checkpoint/data/safetensors_cases.jsonl"
HEADER = ('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
          '"b":{"dtype":"F16","shape":[1,2],"data_offsets":[8,12]},"__metadata__":{"format":"pt"}}')
DATA = b"ABCDEFGHIJKL"


def file_of(header, data=DATA):
    header = header.encode() if isinstance(header, str) else header
    return struct.pack("<Q", len(header)) + header + data


def one(dtype="F32", shape="[3]", offsets="[0,12]", more=""):
    return file_of('{"t":{"dtype":"%s","shape":%s,"data_offsets":%s%s}}'
                   % (dtype, shape, offsets, more))


def written():
    """name, file, rule by which ours is stricter (or None)."""
    yield "plain", file_of(HEADER), None
    yield "padded with spaces", file_of(HEADER + "   "), None
    yield "padded with a newline", file_of(HEADER + "\n"), None
    yield "padded with NUL", file_of(HEADER + "\0"), None
    yield "leading blank", file_of(" " + HEADER), "first byte"
    yield "no tensors", file_of("{}", b""), None
    yield "no tensors but data", file_of("{}"), None
    yield "not UTF-8", file_of(b'{"\xff":1}'), None
    for dtype, size in (("BF16", 2), ("I64", 8), ("F64", 8), ("I32", 4), ("U8", 1), ("BOOL", 1)):
        rule = None if dtype in ("BF16", "I64") else "dtype"
        data = b"\1" * 2 * size
        yield "dtype " + dtype, file_of('{"t":{"dtype":"%s","shape":[2],"data_offsets":[0,%d]}}'
                                        % (dtype, 2 * size), data), rule
    yield "dtype lower case", one("f32"), None
    yield "unknown dtype", one("X99"), None
    for shape in ("[]", "[3,1]", "[1,1,3]", "[-3]", "[3.0]", "[3e0]", '["3"]', "[true]", "3", "null",
                  "[4]", "[0]", "[18446744073709551615]", "[18446744073709551616]",
                  "[4611686018427387907]", "[9223372036854775808,2,0]", "[03]", "[+3]", "[3,]"):
        yield "shape " + shape, one(shape=shape), None
    yield "nine dimensions", one(shape="[1,1,1,1,1,1,1,1,3]"), "rank"
    for offsets in ("[0,11]", "[1,13]", "[12,0]", "[0]", "[0,12,12]", "[0,12.0]",
                    "[18446744073709551604,18446744073709551616]", '{"0":0}', "null"):
        yield "offsets " + offsets, one(offsets=offsets), None
    yield "another field", one(more=',"stride":[1]'), None
    yield "field twice", one(more=',"shape":[3]'), None
    yield "empty tensor", one(shape="[0,7]", offsets="[0,0]")[:-12], None
    yield "tensor as an array", file_of('{"t":["F32",[3],[0,12]]}'), "tensor is an object"
    yield "tensor twice", file_of('{"t":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},'
                                  '"t":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}'), "twice"
    two = ('{"a":{"dtype":"F32","shape":[%s],"data_offsets":[%s]},'
           '"b":{"dtype":"F32","shape":[%s],"data_offsets":[%s]}}')
    yield "overlap", file_of(two % ("2", "0,8", "2", "4,12")), None
    yield "hole", file_of(two % ("1", "0,4", "1", "8,12")), None
    yield "same place", file_of(two % ("3", "0,12", "3", "0,12")), None
    yield "other order", file_of(two % ("1", "8,12", "2", "0,8")), None
    yield "empty one first", file_of(two % ("3", "0,12", "0", "0,0")), None
    yield "empty one last", file_of(two % ("0", "12,12", "3", "0,12")), None
    yield "empty one inside", file_of(two % ("0", "4,4", "3", "0,12")), None
    for metadata in ("{}", '{"a":"b"}', "null", "1", '{"a":1}', '{"a":null}', '{"a":{}}', "[]",
                     '{"a":"b","a":"c"}'):
        rule = {"null": "metadata", '{"a":"b","a":"c"}': "twice"}.get(metadata)
        yield "metadata " + metadata, file_of('{"__metadata__":%s}' % metadata, b""), rule
    for name in ('\\"q\\"', "\\u00e9", "\\ud83d\\ude00", "\\ud800", "a\\u0000b", "", "\u00e9", "x/y"):
        rule = None
        header = '{"%s":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}' % name
        yield "name " + name, file_of(header), rule
    yield "long name", file_of('{"%s":{"dtype":"F32","shape":[3],"data_offsets":[0,12]}}'
                               % ("n" * 513)), "name"
    for header in ("[]", "null", "1", '"x"', '{"t":1}', '{"t":{}}', "{", "{}{}", "{}x", "{'t':1}",
                   "{/**/}", '{"t":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},}'):
        yield "header " + header, file_of(header, DATA if "F32" in header else b""), None


def damaged():
    """Cut at each byte, appended to, and each header byte changed in one drawn way."""
    generator = random.Random(20)
    whole = file_of(HEADER)
    for size in range(len(whole)):
        yield f"cut at {size}", whole[:size], None
    yield "one byte more", whole + b"x", None
    for length in (25_000_001, 100_000_001, 1 << 63, (1 << 64) - 1, (1 << 64) - 8):
        yield f"header length {length}", struct.pack("<Q", length) + whole[8:], None
    for i in range(len(whole) - len(DATA)):
        for bit in generator.sample(range(8), 2):
            changed = bytearray(whole)
            changed[i] ^= 1 << bit
            yield f"bit {bit} of byte {i}", bytes(changed), None


def encoded(data):
    return base64.b64encode(bytes(data)).decode()


def case(name, file, rule):
    line = {"name": name, "file": encoded(file)}
    try:
        tensors = deserialize(file)
    except SafetensorError:
        assert rule is None, f"{name}: the library refuses it too"
        return line | {"accepted": False}
    line["accepted"] = True
    if rule:
        return line | {"stricter": rule}
    return line | {"tensors": sorted([key, value["dtype"], list(value["shape"]),
                                      encoded(value["data"])] for key, value in tensors)}


def main():
    with open(OUTPUT, "w") as output:
        for name, file, rule in [*written(), *damaged()]:
            output.write(json.dumps(case(name, file, rule), separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
