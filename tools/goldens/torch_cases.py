"""Makes tests/checkpoint/data/torch_cases.jsonl: small files of torch.save, real ones and hostile
ones, with the verdict of torch.load(weights_only=True).

Run from the root of the repository, in the environment of tools/goldens/setup:
    .venv-goldens/bin/python tools/goldens/torch_cases.py

A line is {"name", "file" (base64, after zlib where "packed")} and "tensors": [[name, dtype, shape,
base64 of the data], ...] sorted by name, where ours must read them, else "refused": a part of our
message. "torch" tells what torch does with it, "reads" or "refuses". Where the two verdicts differ,
"rule" says which rule of src/checkpoint/torch_file.h makes the difference.
"""
import base64
import collections
import io
import json
import os
import tempfile
import warnings
import zipfile
import zlib

import torch

from torch_hostile import evil, hostile
from torch_pickles import (GOOD, GOOD_LEGACY, REDUCE, STOP, glob, legacy, number, pickled, state,
                           storage, tensor, text, tuple_of, zipped)

ROOT = os.getcwd()
FILES = "tests/checkpoint/data/torch_save"
OUTPUT = "tests/checkpoint/data/torch_cases.jsonl"
NAMES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float64: "F64",
         torch.int64: "I64", torch.int32: "I32", torch.int16: "I16", torch.int8: "I8",
         torch.uint8: "U8", torch.uint16: "U16", torch.uint32: "U32", torch.uint64: "U64",
         torch.bool: "BOOL", torch.float8_e5m2: "F8_E5M2", torch.float8_e4m3fn: "F8_E4M3"}


# --- files of real torch ---

def saved(value, **options):
    out = io.BytesIO()
    torch.save(value, out, **options)
    return out.getvalue()


def states():
    """name, state dict."""
    torch.manual_seed(5)
    base = torch.randn(4, 6)
    yield "plain", {"a.weight": torch.randn(2, 3), "a.bias": torch.randn(3)}
    yield "ordered", collections.OrderedDict(b=torch.ones(2), a=torch.zeros(1))
    metadata = collections.OrderedDict(w=torch.randn(2))
    metadata._metadata = collections.OrderedDict([("", {"version": 1})])
    yield "with _metadata", metadata
    yield "views", {"rows": base[1:3], "columns": base[:, 2:5], "step": base[::2, ::3],
                    "last": base[3, 5:], "whole": base}
    yield "transposed", {"t": base.t(), "p": torch.randn(2, 3, 4).permute(2, 0, 1)}
    yield "expanded", {"e": torch.arange(3).expand(2, 3), "s": torch.tensor(1.5).expand(2, 2),
                       "f": torch.randn(1, 3, 1).expand(4, 3, 2)}
    yield "scalars", {"a": torch.tensor(2.0), "b": torch.tensor(7), "c": base[2, 2]}
    yield "empty", {"a": torch.zeros(0), "b": torch.zeros(0, 5), "c": torch.zeros(3, 0, 2),
                    "d": base[2:2]}
    yield "empty, transposed", {"t": torch.zeros(3, 0, 2).transpose(0, 2)}
    yield "shared", {"a": base, "b": base, "c": base.view(6, 4), "d": base.flatten()[5:9]}
    yield "parameters", {"p": torch.nn.Parameter(torch.randn(2, 2)),
                         "q": torch.nn.Parameter(torch.ones(1), requires_grad=False)}
    yield "module", torch.nn.Linear(3, 2).state_dict()
    yield "many", {f"layer.{i}": torch.full((2,), float(i)) for i in range(300)}
    yield "names", {"": torch.ones(1), "é": torch.ones(1), "a b\n": torch.ones(1),
                    "n" * 300: torch.ones(1)}
    yield "in state_dict", {"state_dict": {"w": torch.randn(2)}, "epoch": 3, "lr": 0.5}
    yield "in model_state_dict", {"model_state_dict": {"w": torch.ones(1)},
                                  "optimizer": {"state": {}, "param_groups": [{"lr": 1e-3}]}}
    yield "in model", {"model": collections.OrderedDict(w=torch.ones(1)),
                       "ema": {"w": torch.zeros(1)}}
    yield "in a name of its own", {"weights": {"w": torch.ones(2)}, "note": "text", "none": None}
    yield "beside other values", {"w": torch.ones(2), "version": 2, "list": [1, 2.5, "x"],
                                  "size": torch.Size([2, 3]), "tuple": (True, None),
                                  "device": torch.device("cpu"), "big": 1 << 40, "minus": -5}
    for dtype, name in NAMES.items():
        yield "dtype " + name, {"w": torch.tensor([1, 0, 1, 1]).to(dtype),
                                "t": torch.tensor([[1, 0], [1, 1]]).to(dtype).t()}


def older_file(name):
    with open(os.path.join(ROOT, FILES, name), "rb") as file:
        return file.read()


def real_files():
    """name, file, rule where torch and we differ."""
    for name in ("ckpt", "dict", "lin", "new", "old"):  # of torch 1.13
        yield f"{name}.bin", older_file(f"{name}.bin"), "protocol" if name == "dict" else None
    for name, state in states():
        yield name + ", zip", saved(state), None
        old = saved(state, _use_new_zipfile_serialization=False)
        if torch_verdict(old) is None:  # unsigned integers of 16 bits and more
            print("torch does not read its own legacy file of:", name)
        else:
            yield name + ", legacy", old, None
    state = dict(states())["views"]
    for protocol in (3, 4):
        rule = "protocol" if protocol == 4 else None
        yield f"protocol {protocol}, zip", saved(state, pickle_protocol=protocol), rule
        yield (f"protocol {protocol}, legacy",
               saved(state, pickle_protocol=protocol, _use_new_zipfile_serialization=False),
               rule)
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(saved(state))) as old:
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
            for name in old.namelist():
                new.writestr("outer/" + name, old.read(name))
    yield "zip packed anew, deflated, one directory more", packed.getvalue(), "packed anew"


# Why we refuse what torch reads: the rules of src/checkpoint/torch_file.h and pickle.h.
STRICTER = {
    "instructions and names of state dicts only": (
        "calls _codecs.encode", "calls collections.Counter", "opcode NEWOBJ", "opcode EMPTY_SET"),
    "types": (
        "a call without a tuple", "torch.Size of a list", "state of a tensor", "tensor: no stride",
        "tensor of a size in a list", "a storage with a number as key", "a storage of two types",
        "tensor: size overflows in bytes"),
    "limits": (
        "a long string", "a long integer", "many values", "many references", "many items",
        "a long name", "10,001 tensors", "tensor: 65 dimensions", "tensor: expanded to 1 GiB",
        "zip: bomb"),
    "the tensors of one model": (
        "root is a tensor", "root is a list", "root is empty", "root holds itself",
        "tensors two levels down", "several dictionaries", "several usual dictionaries",
        "a name twice", "a name that is a number"),
    "protocols 2 to 4": (
        "protocol 0", "protocol 1", "protocol 5", "protocol 255", "no PROTO", "PROTO twice"),
    "zip files that have one meaning": (
        "zip: encrypted in the local header only", "zip: local method differs",
        "zip: local name differs", "zip: crc", "zip: a byte behind the end",
        "zip: a comment that is longer", "zip: directory larger", "zip: zip64 end elsewhere",
        "zip: data.pkl twice", "zip: storage twice", "zip: TorchScript code", "zip: big-endian"),
    "whole legacy files": (
        "legacy: big-endian", "legacy: sys_info is a list", "legacy: sys_info is empty",
        "legacy: no keys", "legacy: a byte more", "legacy: a view leaves", "legacy: a view overflows"),
}
RULE_OF = {name: rule for rule, names in STRICTER.items() for name in names}


def written():
    """Files by hand that ours reads. name, file, rule."""
    yield "by hand, zip", zipped(GOOD), None
    yield "by hand, legacy", legacy(GOOD_LEGACY), None
    view = tuple_of(text("v"), number(1), number(3))
    yield "legacy: a view of a storage", legacy(pickled(state(text("w"), tensor(
        storage(legacy=True, view=view), offset=1, size=(2,))))), None
    yield "_rebuild_tensor", zipped(pickled(state(text("w"), glob(
        "torch._utils", "_rebuild_tensor") + tuple_of(storage(), number(0), tuple_of(number(
            2), number(2)), tuple_of(number(1), number(2))) + REDUCE))), None
    pairs = b"](" + b"](" + text("w") + tensor() + b"e" + b"e"
    yield "OrderedDict of pairs", zipped(pickled(glob("collections", "OrderedDict") + pairs
                                                 + b"\x85R")), None
    yield "a comment", zipped(GOOD)[:-2] + b"\x05\x00hello", None
    yield "a part of the storage is used", zipped(pickled(state(text("w"), tensor(
        size=(2,), offset=1)))), None
    yield "payload behind STOP is never read", zipped(GOOD + evil() + STOP), None


# --- verdicts ---

def encoded(data):
    return base64.b64encode(bytes(data)).decode()


def rows(state):
    if not all(isinstance(value, torch.Tensor) for value in state.values()):
        found = [value for value in state.values() if isinstance(value, torch.Tensor)]
        if found:
            state = {key: value for key, value in state.items() if isinstance(value, torch.Tensor)}
        else:
            inner = {key: value for key, value in state.items() if isinstance(value, dict) and any(
                isinstance(item, torch.Tensor) for item in value.values())}
            usual = [key for key in inner if key in ("state_dict", "model_state_dict", "model")]
            state = inner[usual[0]] if usual else next(iter(inner.values()))
    return sorted([name, NAMES[value.dtype], list(value.shape),
                   encoded(value.detach().contiguous().flatten().view(torch.uint8).numpy()
                           if value.numel() else b"")]
                  for name, value in state.items())


def torch_verdict(file, weights_only=True):
    """What torch reads, or None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return torch.load(io.BytesIO(file), weights_only=weights_only, map_location="cpu")
        except Exception:  # noqa: BLE001: torch refuses with whatever goes wrong
            return None


def case(name, file):
    packed = zlib.compress(file, 9)
    if len(packed) + 64 < len(file):
        return {"name": name, "packed": len(file), "file": encoded(packed)}
    return {"name": name, "file": encoded(file)}


def main():
    counts = collections.Counter()
    with open(OUTPUT, "w") as output, tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)

        def write(line):
            counts["tensors" if "tensors" in line else "refused", line["torch"]] += 1
            output.write(json.dumps(line, separators=(",", ":")) + "\n")

        for name, file, rule in [*real_files(), *written()]:
            line = case(name, file)
            read = torch_verdict(file)
            line["torch"] = "refuses" if read is None else "reads"
            if rule:
                line["rule"] = rule
            assert (read is None) == (rule is not None), (name, rule)
            if read is None:  # it is our own file, or what we know to be a state dict
                read = torch_verdict(file, weights_only=False) or dict(states())["views"]
            write(line | {"tensors": rows(read)})
        module = "linmod.bin", older_file("linmod.bin"), "torch.nn.modules.linear.Linear"
        for name, file, part in [module, *hostile()]:
            reads = torch_verdict(file) is not None
            assert reads == (name in RULE_OF), name
            line = case(name, file) | {"torch": "reads" if reads else "refuses", "refused": part}
            write(line | ({"rule": RULE_OF[name]} if reads else {}))
        assert os.listdir(".") == [], "a pickle ran"
        os.chdir(ROOT)
    print(dict(counts))


if __name__ == "__main__":
    main()
