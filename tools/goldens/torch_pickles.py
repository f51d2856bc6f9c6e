"""Pickles of torch.save and the files around them, written by hand: nothing here needs torch."""
import io
import struct
import zipfile

MARK, STOP, TUPLE, REDUCE, PERSID, BUILD = b"(", b".", b"t", b"R", b"Q", b"b"
PROTO = b"\x80\x02"


def glob(module, name):
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return b"X" + struct.pack("<I", len(value)) + value


def short(value):
    return b"\x8c" + bytes([len(value.encode())]) + value.encode()


def number(value):
    if 0 <= value < 256:
        return b"K" + bytes([value])
    length = (value.bit_length() + 8) // 8
    return b"\x8a" + bytes([length]) + value.to_bytes(length, "little", signed=True)


def tuple_of(*items):
    return MARK + b"".join(items) + TUPLE


def storage(kind="FloatStorage", key="0", numel=4, legacy=False, module="torch", view=b"N"):
    items = [text("storage"), glob(module, kind), text(key), text("cpu"), number(numel)]
    return tuple_of(*items, *([view] if legacy else [])) + PERSID


def tensor(of=None, offset=0, size=(4,), stride=(1,), function="_rebuild_tensor_v2", more=b"",
           legacy=False):
    arguments = tuple_of(of or storage(legacy=legacy), number(offset),
                         tuple_of(*map(number, size)), tuple_of(*map(number, stride)), b"\x89",
                         glob("collections", "OrderedDict") + b")R", more)
    return glob("torch._utils", function) + arguments + REDUCE


def state(*pairs):
    return b"}(" + b"".join(pairs) + b"u"


def pickled(body, proto=PROTO):
    return proto + body + STOP


DATA = struct.pack("<4f", 1, 2, 3, 4)


def zipped(pickle=None, files=(("data/0", DATA),), stem="archive", method=zipfile.ZIP_STORED,
           extra=()):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        if pickle is not None:
            archive.writestr(f"{stem}/data.pkl", pickle)
        for name, data in files:
            archive.writestr(f"{stem}/{name}", data)
        archive.writestr(f"{stem}/version", "3\n")
        for name, data in extra:
            archive.writestr(name, data)
    return out.getvalue()


MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
SYSTEM = pickled(state(text("protocol_version"), b"M\xe9\x03", text("little_endian"), b"\x88",
                       text("type_sizes"), state(text("int"), number(4))))


def legacy(pickle, magic=MAGIC, version=pickled(b"M\xe9\x03"), system=SYSTEM, keys=("0",),
           data=struct.pack("<q", 4) + DATA):
    listed = pickled(b"](" + b"".join(map(text, keys)) + b"e")
    return magic + version + system + pickle + listed + data


GOOD = pickled(state(text("w"), tensor()))
GOOD_LEGACY = pickled(state(text("w"), tensor(legacy=True)))
PAYLOAD = "touch LAMBERT_PICKLE_RAN"

def patched(file, old, new, count=1):
    assert old in file
    return file.replace(old, new, count)
