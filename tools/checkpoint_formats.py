"""Writes the weights of model.safetensors in the formats that torch saved and saves.

    python3 tools/checkpoint_formats.py legacy|zip|safetensors model.safetensors OUT [F32]

legacy: the pytorch_model.bin of torch before 1.6, five pickles and then the data. zip: that of
later ones. F32: half precision becomes single. Needs no torch: the pickles name its functions,
nothing calls them.
"""
import collections
import io
import json
import pickle
import struct
import sys
import types
import zipfile

MAGIC, PROTOCOL_VERSION = 0x1950A86A20F9469CFC6C, 1001
STORAGES = {"F32": ("FloatStorage", 4), "F16": ("HalfStorage", 2), "BF16": ("BFloat16Storage", 2)}


def module_of_names(name, names, kind):
    """A module that pickle takes for the real one: `names` can be referred to, not used."""
    module = types.ModuleType(name)
    for member in names:
        if kind is type:
            value = type(member, (), {"__module__": name})
        else:
            value = lambda *arguments: None  # noqa: E731
            value.__module__, value.__qualname__, value.__name__ = name, member, member
        setattr(module, member, value)
    sys.modules[name] = module
    return module


torch = module_of_names("torch", [name for name, _ in STORAGES.values()], type)
utils = module_of_names("torch._utils", ["_rebuild_tensor_v2"], types.FunctionType)


class Storage:
    def __init__(self, key, kind, numel, *view_metadata):
        self.persistent_id = ("storage", getattr(torch, kind), key, "cpu", numel, *view_metadata)


class Tensor:
    def __init__(self, storage, shape):
        self.storage, self.shape = storage, tuple(shape)

    def __reduce__(self):
        strides, step = [], 1
        for extent in reversed(self.shape):
            strides.insert(0, step)
            step *= extent
        return utils._rebuild_tensor_v2, (self.storage, 0, self.shape, tuple(strides), False,
                                          collections.OrderedDict())


class Pickler(pickle._Pickler):  # the one in Python looks at persistent_id of every object
    def persistent_id(self, value):
        return value.persistent_id if isinstance(value, Storage) else None


def read_safetensors(path):
    with open(path, "rb") as file:
        length, = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    header.pop("__metadata__", None)
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        yield name, entry["dtype"], entry["shape"], data[begin:end]


def single_precision(tensors):
    for name, dtype, shape, data in tensors:
        if dtype == "F16":
            numbers = struct.unpack(f"<{len(data) // 2}e", data)
            dtype, data = "F32", struct.pack(f"<{len(numbers)}f", *numbers)
        yield name, dtype, shape, data


def pickle_state(tensors, key_of, view_metadata, out):
    """Pickles the state dict; returns key -> (numbers, data)."""
    state, storages = collections.OrderedDict(), {}
    for i, (name, dtype, shape, data) in enumerate(tensors):
        kind, size = STORAGES[dtype]
        key, numel = key_of(i), len(data) // size
        storages[key] = numel, data
        state[name] = Tensor(Storage(key, kind, numel, *view_metadata), shape)
    state._metadata = collections.OrderedDict([("", {"version": 1})])
    Pickler(out, protocol=2).dump(state)
    return storages


def write_legacy(tensors, path):
    with open(path, "wb") as out:
        for value in (MAGIC, PROTOCOL_VERSION,
                      {"protocol_version": PROTOCOL_VERSION, "little_endian": True,
                       "type_sizes": {"short": 2, "int": 4, "long": 4}}):
            pickle.dump(value, out, protocol=2)
        # The keys were addresses.
        storages = pickle_state(tensors, lambda i: str(94_000_000_000_000 + 64 * i), [None], out)
        pickle.dump(sorted(storages), out, protocol=2)
        for key in sorted(storages):
            numel, data = storages[key]
            out.write(struct.pack("<q", numel))
            out.write(data)


def write_zip(tensors, path):
    pickled = io.BytesIO()
    storages = pickle_state(tensors, str, [], pickled)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("pytorch_model/data.pkl", pickled.getvalue())
        for key, (_, data) in storages.items():
            archive.writestr(f"pytorch_model/data/{key}", data)
        archive.writestr("pytorch_model/version", "3\n")


def write_safetensors(tensors, path):
    header, parts, end = {}, [], 0
    for name, dtype, shape, data in tensors:
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + len(data)]}
        parts.append(data)
        end += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for data in parts:
            out.write(data)


WRITERS = {"legacy": write_legacy, "zip": write_zip, "safetensors": write_safetensors}

if __name__ == "__main__":
    if len(sys.argv) not in (4, 5) or sys.argv[1] not in WRITERS or sys.argv[4:] not in ([], ["F32"]):
        sys.exit(__doc__)
    model = read_safetensors(sys.argv[2])
    WRITERS[sys.argv[1]](single_precision(model) if sys.argv[4:] else model, sys.argv[3])
