"""Makes tests/checkpoint/data/archive_cases.jsonl: .tar and .tar.gz files, good and hostile ones,
with what Python's gzip and tarfile read from them.

Run from the root of the repository with Python 3.11:
    python3 tools/goldens/archive_cases.py

A line is {"name", "file" (base64, after zlib where "packed")} and "files": {name: base64 of the
content} of what a model needs, else "refused": a part of our message. "python" tells what Python
does with it, "reads" or "refuses".
"""
import base64
import collections
import gzip
import io
import json
import posixpath
import struct
import tarfile
import zlib

OUTPUT = "tests/checkpoint/data/archive_cases.jsonl"
WANTED = ("config.json", "vocab.txt", "pytorch_model.bin", "model.safetensors")


def info(name, size=0, kind=tarfile.REGTYPE, **fields):
    member = tarfile.TarInfo(name)
    member.size, member.type, member.mode = size, kind, 0o644
    for key, value in fields.items():
        setattr(member, key, value)
    return member


def tar(members, form=tarfile.GNU_FORMAT, **options):
    """members: (name or TarInfo, content)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, **options) as archive:
        for member, content in members:
            if isinstance(member, str):
                member = info(member, len(content))
            archive.addfile(member, io.BytesIO(content) if content is not None else None)
    return out.getvalue()


def packed(data, **fields):
    return gzip.compress(data, mtime=0, **fields)


def gzip_member(data, flags=0, head=b"", method=8, crc=None, size=None, magic=b"\x1f\x8b"):
    body = zlib.compressobj(6, zlib.DEFLATED, -15)
    body = body.compress(data) + body.flush()
    crc = zlib.crc32(data) if crc is None else crc
    size = len(data) if size is None else size
    return (magic + struct.pack("<BBIBB", method, flags, 0, 0, 255) + head + body
            + struct.pack("<II", crc, size & 0xFFFFFFFF))


CONFIG, WEIGHTS = b'{"model_type":"distilbert"}', bytes(range(256)) * 5
PLAIN = [("config.json", CONFIG), ("pytorch_model.bin", WEIGHTS), ("vocab.txt", b"[PAD]\n")]


def header(name="config.json", size=len(CONFIG), kind=b"0", **fields):
    """A ustar header of which every field can be set to any bytes."""
    if isinstance(size, int):
        size = b"%011o\0" % size
    block = bytearray(512)
    for at, value in ((0, name.encode()), (100, b"0000644\0"), (108, b"0000000\0"),
                      (116, b"0000000\0"), (124, size), (136, b"00000000000\0"), (156, kind),
                      (257, b"ustar\x0000")):
        block[at:at + len(value)] = value
    for at, value in fields.items():
        at = int(at[1:])
        block[at:at + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % 512)


END = bytes(1024)
ONE = header() + padded(CONFIG)


def pax(records, kind=b"x"):
    text = b"".join(records)
    return header("pax", len(text), kind) + padded(text)


def record(key, value):
    body = b" " + key + b"=" + value + b"\n"
    length = len(body) + 1
    while len(str(length)) + len(body) != length:
        length = len(str(length)) + len(body)
    return str(length).encode() + body


def good():
    """name, file."""
    deep = "/".join(["directory"] * 14) + "/"
    for form, what in ((tarfile.USTAR_FORMAT, "ustar"), (tarfile.GNU_FORMAT, "gnu"),
                       (tarfile.PAX_FORMAT, "pax")):
        yield what, tar(PLAIN, form)
        yield what + ", gzip", packed(tar(PLAIN, form))
        yield what + ", ./", tar([("./" + name, data) for name, data in PLAIN], form)
        yield what + ", a directory", tar([(info("m", kind=tarfile.DIRTYPE), None)]
                                          + [("m/" + name, data) for name, data in PLAIN], form)
        yield what + ", long names", tar([(deep + name, data) for name, data in PLAIN], form)
    yield "a directory by its slash", header("m/", 0) + tar(PLAIN)
    yield "name without end", header("d" * 88 + "/config.json") + padded(CONFIG) + END
    yield "old format without magic", header(p257=bytes(8)) + padded(CONFIG) + END
    yield "old type", header(kind=b"\0") + padded(CONFIG) + END
    yield "contiguous type", header(kind=b"7") + padded(CONFIG) + END
    yield "prefix", header(p345=b"a/b") + padded(CONFIG) + END
    yield "size with spaces", header(size=b"         33 ") + padded(CONFIG) + END
    yield "size in base 256", header(size=b"\x80" + struct.pack(">3xQ", len(CONFIG))) + padded(
        CONFIG) + END
    yield "no end", ONE
    yield "half an end", ONE + bytes(512)
    yield "much behind the end", ONE + bytes(20_000)
    yield "empty files", tar([("config.json", b""), ("vocab.txt", b"")])
    yield "pax path", pax([record(b"path", b"x/vocab.txt")]) + ONE + END
    yield "pax size", pax([record(b"size", b"27")]) + header(size=0) + padded(CONFIG) + END
    yield "pax other keys", pax([record(b"mtime", b"1.5"), record(b"comment", b"a\nb=c"),
                                 record(b"path", b"config.json")]) + ONE + END
    yield "pax global", pax([record(b"comment", b"x")], b"g") + ONE + END
    yield "GNU long name", header("././@LongLink", 12, b"L") + padded(b"a/vocab.txt\0") + ONE + END
    yield "GNU long link", header("././@LongLink", 4, b"K") + padded(b"abc\0") + ONE + END
    yield "macOS", tar([("._config.json", b"x" * 99), *PLAIN, ("m/._pytorch_model.bin", b"y")])
    yield "training state", tar([*PLAIN, ("optimizer.pt", b"x"), ("training_args.bin", b"y"),
                                 ("rng_state.pth", b"z"), ("README.md", b"r")])
    yield "links of no interest", tar([(info("latest", kind=tarfile.SYMTYPE, linkname="/etc/passwd"),
                                        None), *PLAIN])
    yield "a device of no interest", tar([(info("null", kind=tarfile.CHRTYPE), None), *PLAIN])
    whole = tar(PLAIN)
    yield "gzip: two members", packed(whole[:700]) + packed(whole[700:])
    yield "gzip: an empty member", packed(b"") + packed(whole) + packed(b"")
    yield "gzip: zeros behind", packed(whole) + bytes(300)
    yield "gzip: stored", packed(whole, compresslevel=0)
    yield "gzip: extra field", gzip_member(whole, 4, b"\x04\0abcd")
    yield "gzip: name", gzip_member(whole, 8, b"model.tar\0")
    yield "gzip: comment", gzip_member(whole, 16, b"hello\0")
    yield "gzip: text", gzip_member(whole, 1)
    head = b"\x1f\x8b" + struct.pack("<BBIBB", 8, 2, 0, 0, 255)
    yield "gzip: checksum of the header", gzip_member(
        whole, 2, struct.pack("<H", zlib.crc32(head) & 0xFFFF))


def hostile():
    """name, file, part of the message."""
    for path in ("../config.json", "a/../../config.json", "/config.json", "//etc/config.json",
                 "a/..", "..", "/etc/passwd", "a/../config.json"):
        yield "path " + path, header(path) + padded(CONFIG) + END, "leads out"
    yield "pax path upwards", pax([record(b"path", b"../vocab.txt")]) + ONE + END, "leads out"
    yield "pax path with NUL", pax([record(b"path", b"config.json\0x")]) + ONE + END, "leads out"
    yield "global path upwards", pax([record(b"path", b"/vocab.txt")], b"g") + ONE + END, "leads out"
    yield "GNU long name upwards", (header("././@LongLink", 15, b"L") + padded(b"../config.json\0")
                                    + ONE + END), "leads out"
    yield "prefix upwards", header(p345=b"..") + padded(CONFIG) + END, "leads out"
    for kind, what in ((b"1", "hard link"), (b"2", "symbolic link"), (b"3", "character device"),
                       (b"4", "block device"), (b"6", "fifo")):
        yield what, header(size=0, kind=kind, p157=b"/etc/passwd") + END, "a link or device"
    yield "a symbolic link with a size", header(kind=b"2") + ONE + END, "a link or device"
    yield "a sparse file", header(kind=b"S") + padded(CONFIG) + END, "sparse"
    yield "a sparse file of pax", pax([record(b"GNU.sparse.major", b"1")]) + ONE + END, "sparse"
    yield "twice", ONE + ONE + END, "twice"
    yield "twice in two directories", ONE + header("a/config.json") + padded(CONFIG) + END, "twice"
    yield "twice by pax", ONE + pax([record(b"path", b"./config.json")]) + header("x.txt") + padded(
        CONFIG) + END, "twice"
    for what, size, part in (
            ("of letters", b"0000000000x\0", "no number"), ("of an 8", b"00000000008\0", "no number"),
            ("negative octal", b"-0000000001\0", "no number"),
            ("negative in base 256", b"\xff" * 12, "no number"),
            ("in base 256 with a bit more", b"\x81" + bytes(11), "no number"),
            ("of 2**64 in base 256", b"\x80" + bytes(2) + b"\x01" + bytes(8), "no number"),
            ("of 2**62 in base 256", b"\x80" + bytes(3) + b"\x40" + bytes(7), "no number"),
            ("with text behind", b"33 33      \0", "no number")):
        yield "size " + what, header(size=size) + padded(CONFIG) + END, part
    yield "size of 8 GiB - 1", header("pytorch_model.bin", b"77777777777\0") + padded(CONFIG) + END, "would be kept"
    yield "size past the end", header(size=4000) + padded(CONFIG), "ends too early"
    yield "pax size of text", pax([record(b"size", b"1e3")]) + ONE + END, "size of an extended"
    yield "pax size of -1", pax([record(b"size", b"-1")]) + ONE + END, "size of an extended"
    yield "pax size of 2**64", pax([record(b"size", b"18446744073709551616")]) + ONE + END, \
        "size of an extended"
    yield "pax size past the end", pax([record(b"size", b"99999")]) + ONE + END, "ends too early"
    for what, text in (("0", b"0 a=b\n"), ("too small", b"3 path=config.json\n"),
                       ("too large", b"99 path=x\n"), ("none", b"path=x\n"), ("negative", b"-9 a=b\n"),
                       ("huge", b"99999999999999999999 a=b\n"), ("without end", b"7 a=bcd")):
        yield "pax length " + what, pax([text]) + ONE + END, "wrong length"
    yield "pax without =", pax([b"7 abcd\n"]) + ONE + END, "no '='"
    yield "an extended header of a gibibyte", header("pax", 1 << 30, b"x") + ONE, "at most 1048576"
    yield "a long name of a gibibyte", header("././@LongLink", 1 << 30, b"L") + ONE, "at most 1048576"
    yield "checksum", ONE + ONE.replace(b"ustar", b"usta_"), "wrong checksum"
    yield "something behind the end", ONE + END + ONE, "follows its end"
    yield "a member behind zeros", ONE + bytes(512) + ONE, "follows a block of zeros"
    yield "text of 65 MiB", header(size=65 << 20) + padded(CONFIG), "at most"
    yield "10,001 members", header("x", 0) * 10_001 + END, "10000 members"
    yield "nothing", b"", "is empty"
    yield "zeros", bytes(2048), "no tar archive"
    yield "text", b"hello\n" * 200, "no tar archive"
    for what, magic, part in (("zip", b"PK\x03\x04", "zip"), ("zstd", b"\x28\xb5\x2f\xfd", "zstd"),
                              ("bzip2", b"BZh9", "bzip2"), ("xz", b"\xfd7zXZ\0", "xz"),
                              ("7z", b"7z\xbc\xaf\x27\x1c", "7z"), ("compress", b"\x1f\x9d", "compress")):
        yield what, magic + bytes(600), part
        yield what + " in gzip", packed(magic + bytes(600)), part
    whole = tar(PLAIN)
    yield "gzip: crc", gzip_member(whole, crc=1), "incorrect data check"
    yield "gzip: length", gzip_member(whole, size=1), "incorrect length check"
    yield "gzip: method 7", gzip_member(whole, method=7), "unknown compression method"
    yield "gzip: reserved flag", gzip_member(whole, 32), "unknown header flags"
    yield "gzip: checksum of the header", gzip_member(whole, 2, b"\0\0"), "header crc"
    yield "gzip: text behind", packed(whole) + b"hello", "not gzip"
    yield "gzip: zeros and text behind", packed(whole) + bytes(9) + b"x", "zeros follow"
    yield "gzip: second member damaged", packed(whole[:700]) + gzip_member(whole[700:], crc=3), \
        "incorrect data check"
    yield "gzip: second member cut off", packed(whole[:700]) + packed(whole[700:])[:-3], "too early"
    yield "gzip: damaged", packed(whole)[:40] + b"\xff" * 40 + packed(whole)[80:], "damaged gzip"
    yield "gzip: of gzip", packed(packed(whole)), "no tar"
    yield "gzip: of nothing", packed(b""), "empty"
    bomb = header("pytorch_model.bin", 32 << 20) + bytes(32 << 20) + END
    yield "gzip: bomb", packed(bomb), "times as many"
    yield "gzip: bomb of what is not kept", packed(header("x", 64 << 20) + bytes(64 << 20)), \
        "times as many"
    yield "gzip: bomb behind the end", packed(ONE + bytes(64 << 20)), "times as many"
    members = b"".join(gzip_member(bytes(1 << 20)) for _ in range(64))
    yield "gzip: bomb in many members", packed(header("x", 1 << 30)) + members, "times as many"


def read(file):
    """What Python reads of the files that we want, or None."""
    try:
        if file[:2] == b"\x1f\x8b":
            file = gzip.decompress(file)
        found = {}
        with tarfile.open(fileobj=io.BytesIO(file), mode="r:") as archive:
            for member in archive.getmembers():
                name = posixpath.basename(member.name)
                if not member.isreg() or name not in WANTED:
                    continue
                tarfile.data_filter(member, "/nowhere")  # refuses what leads out
                found[name] = archive.extractfile(member).read()
                if len(found[name]) != member.size:
                    return None
        return found
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, OverflowError):
        return None


def encoded(data):
    return base64.b64encode(data).decode()


def case(name, file):
    small = zlib.compress(file, 9)
    if len(small) + 64 < len(file):
        return {"name": name, "packed": len(file), "file": encoded(small)}
    return {"name": name, "file": encoded(file)}


def main():
    counts = collections.Counter()
    with open(OUTPUT, "w") as output:
        def write(line):
            counts["files" if "files" in line else "refused", line["python"]] += 1
            output.write(json.dumps(line, separators=(",", ":")) + "\n")

        for name, file in good():
            found = read(file)
            assert found, name
            write(case(name, file) | {"python": "reads", "files": {
                key: encoded(value) for key, value in sorted(found.items())}})
        for name, file, part in hostile():
            write(case(name, file) | {"python": "refuses" if read(file) is None else "reads",
                                      "refused": part})
    print(dict(counts))


if __name__ == "__main__":
    main()
