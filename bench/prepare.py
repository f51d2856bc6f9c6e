"""The models to measure with, their exports for the peers, and texts of exact lengths."""
import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import sys

import machine
import texts

TOKENS = (32, 128, 384)  # of a question and its context as a pair
CALIBRATION = "models/calibration.jsonl"


@dataclasses.dataclass
class Paths:
    build: str = "build"
    model: str = "models/distilbert-minilm-squad"
    packed: str = ""  # a folder with fp32.lambert and int8.lambert
    onnx: str = ""  # a folder with the exports (export_onnx.py)
    python: str = sys.executable

    @property
    def name(self) -> str:
        return os.path.basename(self.model)


def digest(files, *words: str) -> str:
    """Of the files' bytes and the words: what a cached model was made from."""
    hashed = hashlib.sha256("\n".join(words).encode())
    for name in files:
        with open(name, "rb") as file:
            hashed.update(hashlib.file_digest(file, "sha256").digest())
    return hashed.hexdigest()[:16]


def made_once(folder: str, command: list[str]) -> str:
    """Runs the command with `folder` in place of OUT unless an earlier run made the folder."""
    if not os.path.isdir(folder):
        print(f"bench: making {os.path.basename(folder)}", flush=True)
        unfinished = folder + ".part"  # an interrupted run leaves no half of a model behind
        shutil.rmtree(unfinished, ignore_errors=True)
        os.makedirs(unfinished)
        subprocess.run([unfinished if word == "OUT" else word for word in command], check=True,
                       stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        os.rename(unfinished, folder)
    return folder


def packed(model: str, build: str, folder: str) -> str:
    """Packs the model in both precisions; in int8 calibrated where its weights mean something."""
    os.makedirs(folder)
    for precision in ("fp32", "int8"):
        command = [f"{build}/lambert", "pack", model, "--precision", precision,
                   "-o", f"{folder}/{precision}.lambert"]
        if precision == "int8" and model == Paths.model:
            command += ["--calibration", CALIBRATION]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return folder


def write_pairs(path: str, pairs) -> str:
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{question}\t{context}\n" for question, context in pairs)
    return path


def cache() -> str:
    return os.environ.get("BENCH_CACHE", ".bench-models")


def exports(model: str, scratch: str, data: str, quick: bool) -> str:
    """A folder with the model's exports for the peers, made once; calibrated with fewer texts if quick."""
    train = f"{data}/squad-train-v1.1.json.xz"
    questions = texts.squad_questions(train, 20 if quick else 300)
    if not questions:
        raise SystemExit(f"bench: {train} is missing: NNCF calibrates with it")
    samples = write_pairs(f"{scratch}/calibration.tsv", questions)
    inputs = ["bench/export_onnx.py", samples, f"{model}/config.json",
              f"{model}/model.safetensors"]
    versions = json.dumps(machine.package_versions())
    folder = f"{cache()}/{digest(inputs, versions)}/{os.path.basename(model)}-exports"
    return made_once(folder, [Paths().python, "bench/export_onnx.py", model, "OUT", samples])


def models(scratch: str, data: str, quick: bool) -> list[Paths]:
    """The default model and one of DistilBERT-base's shape, each with its exports.

    What is made for the peers stays in BENCH_CACHE, under names with a digest of all that it
    depends on.
    """
    default, versions = Paths(), json.dumps(machine.package_versions())
    key = digest(["bench/make_model.py", f"{default.model}/tokenizer.json"], versions)
    shape = made_once(f"{cache()}/{key}/distilbert-base-random",
                      [default.python, "bench/make_model.py", default.model, "OUT"])
    found = []
    for model in (default.model, shape):
        folder = exports(model, scratch, data, quick)
        pack = packed(model, default.build, f"{scratch}/{os.path.basename(model)}-packed")
        found.append(Paths(model=model, packed=pack, onnx=folder))
    return found


def pairs_of(model: str) -> dict:
    """{tokens: (question, context)}"""
    from transformers import AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(model)
    with open("examples/bert-abstract.txt", encoding="utf-8") as file:
        abstract = file.read()
    return {tokens: texts.pair_of(tokens, tokenizer, abstract) for tokens in TOKENS}


def gflop(tokens: int, config: dict) -> float:
    """Multiply-adds of the encoder's products, counted as two operations (DistilBERT, BERT)."""
    layers = config.get("n_layers", config.get("num_hidden_layers"))
    hidden = config.get("dim", config.get("hidden_size"))
    inner = config.get("hidden_dim", config.get("intermediate_size"))
    per_layer = tokens * hidden * (4 * hidden + 2 * inner) + 2 * tokens * tokens * hidden
    return 2 * layers * per_layer / 1e9


def gflop_of(paths: Paths) -> dict:
    with open(f"{paths.model}/config.json", encoding="utf-8") as file:
        config = json.load(file)
    return {str(tokens): round(gflop(tokens, config), 4) for tokens in TOKENS}
