"""Measures Lambert beside ONNX Runtime, OpenVINO and PyTorch in fp32 and int8.

All have the same models, texts, threads and machine.

The engines take turns (A B C A B C ...) for many rounds, so that whatever else the machine does
meets all of them alike. Results: bench/results/latest.json and latest.md.
Environment: BENCH_QUICK=1 for few rounds; BENCH_ONLY, some of forward,answer,load,batch, default
all; BENCH_CACHE, the folder of the peers' models, kept between runs, default .bench-models;
BENCH_THREADS, default "1 2"; LAMBERT_DATA, the folder of squad-dev-v1.1.json.xz and
squad-train-v1.1.json.xz, default ../shared/data; BENCH_RESULTS, default bench/results.
"""
import dataclasses
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"

import engines
import machine
import report
import texts

TOKENS = {32: 10, 128: 5, 384: 3}  # length of the pair -> measurements at each visit
SECTIONS = ("forward", "answer", "load", "batch")
BATCH_SIZES = (1, 4, 8, 16, 32)
PAUSE_S = 0.02  # between engines: a pool that spins for work goes to sleep


@dataclasses.dataclass
class Paths:
    build: str = "build"
    model: str = "models/distilbert-minilm-squad"
    onnx: str = ""
    python: str = sys.executable


@dataclasses.dataclass
class Effort:
    rounds: int
    answer_rounds: int
    loads: int
    batch_rounds: int
    batch_questions: int
    batch_sample: int  # questions that the batch size is chosen with


FULL = Effort(rounds=25, answer_rounds=15, loads=5, batch_rounds=2, batch_questions=2000,
              batch_sample=160)
QUICK = Effort(rounds=4, answer_rounds=3, loads=2, batch_rounds=1, batch_questions=160,
               batch_sample=32)


def take_turns(workers, command: str, pairs: dict, rounds: int) -> dict:
    """{(engine, tokens): [ms, ...]}. The first call of each visit warms up and does not count."""
    times = {(w.name, tokens): [] for w in workers for tokens in pairs}
    for _ in range(rounds):
        for tokens, pair in pairs.items():
            for worker in workers:
                time.sleep(PAUSE_S)
                taken = worker.ask(command, TOKENS[tokens] + 1, *pair)
                times[worker.name, tokens] += taken[1:]
    return times


def percentile(values, share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def rows_of(times: dict, settings: dict, threads: int, name: str, precision="fp32") -> list[dict]:
    return [{"model": name, "precision": precision, "engine": settings[worker][0],
             "setting": settings[worker][1], "threads": threads, "tokens": tokens,
             "p50_ms": round(statistics.median(values), 4),
             "p95_ms": round(percentile(values, 0.95), 4), "samples": len(values)}
            for (worker, tokens), values in times.items()]


def logits_of(workers, pair) -> dict:
    return {worker.name: worker.ask("CHECK", *pair) for worker in workers}


def differences(logits: dict, expected: list[float]) -> dict:
    """Largest difference of a logit to PyTorch's in fp32."""
    for name, values in logits.items():
        if len(values) != len(expected):
            raise RuntimeError(f"{name}: {len(values)} logits, PyTorch has {len(expected)}")
    return {name: max(abs(a - b) for a, b in zip(values, expected))
            for name, values in logits.items()}


def check_agreement(found: dict) -> None:
    """All engines of fp32 must do the same work; int8 differs and is only reported."""
    for name, difference in found.items():
        if name in engines.FORWARD and difference > 1e-3:
            raise RuntimeError(f"{name}: a logit differs from PyTorch's by {difference}")


def open_all(names, threads: int, paths: Paths):
    return [engines.Worker(name, threads, paths) for name in names]


def close_all(workers) -> None:
    for worker in workers:
        worker.close()


def measure_forward(threads: int, pairs: dict, effort: Effort, paths: Paths):
    """Rows of the model in both precisions, and {engine: largest difference of a logit}."""
    rows, found, expected = [], {}, None
    for precision, settings in engines.PRECISIONS.items():
        workers = open_all(settings, threads, paths)
        logits = logits_of(workers, pairs[384])
        expected = expected or logits["pytorch"]
        found |= differences(logits, expected)
        check_agreement(found)
        times = take_turns(workers, "FORWARD", pairs, effort.rounds)
        close_all(workers)
        rows += rows_of(times, settings, threads, os.path.basename(paths.model), precision)
    return rows, found


def measure_answers(threads: int, pairs: dict, effort: Effort, paths: Paths, name: str):
    workers = open_all(engines.ANSWER, threads, paths)
    times = take_turns(workers, "ANSWER", pairs, effort.answer_rounds)
    close_all(workers)
    return rows_of(times, engines.ANSWER, threads, name)


def load_once(name: str, threads: int, pair, paths: Paths) -> tuple:
    with engines.Worker(name, threads, paths) as worker:
        worker.ask("FORWARD", 1, *pair)
        first = (time.perf_counter() - worker.started) * 1e3
        return worker.load_ms, first, worker.ask("MEMORY")[0] / 1024


def measure_loads(threads: int, pair, effort: Effort, paths: Paths) -> list[dict]:
    """From files in the page cache to a model that is ready; memory after one forward pass."""
    settings = {name: (precision, *both) for precision, group in engines.PRECISIONS.items()
                for name, both in group.items()}
    turns = [{name: load_once(name, threads, pair, paths) for name in settings}
             for _ in range(effort.loads)]
    return [{"model": os.path.basename(paths.model), "precision": settings[name][0],
             "engine": settings[name][1], "setting": settings[name][2], "threads": threads,
             "load_ms": round(statistics.median(turn[name][0] for turn in turns), 2),
             "process_start_to_first_result_ms":
                 round(statistics.median(turn[name][1] for turn in turns), 1),
             "peak_memory_mib": round(max(turn[name][2] for turn in turns), 1)}
            for name in settings]


def best_batch_size(worker, path: str) -> int:
    if worker.name == "lambert":
        return 0  # packs what is in flight by itself
    return min(BATCH_SIZES, key=lambda size: worker.ask("BATCH", path, size)[0])


def write_pairs(path: str, pairs) -> str:
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{question}\t{context}\n" for question, context in pairs)
    return path


def measure_batch(threads: int, questions, effort: Effort, paths: Paths, scratch: str):
    sample = write_pairs(f"{scratch}/sample.tsv", questions[::len(questions) // effort.batch_sample])
    whole = write_pairs(f"{scratch}/whole.tsv", questions)
    workers = open_all(("lambert", "ort-fused", "ort-plain"), threads, paths)
    sizes = {worker.name: best_batch_size(worker, sample) for worker in workers}
    times = {worker.name: [] for worker in workers}
    for _ in range(effort.batch_rounds):
        for worker in workers:
            time.sleep(PAUSE_S)
            times[worker.name] += worker.ask("BATCH", whole, sizes[worker.name])
    close_all(workers)
    return [{"engine": engines.FORWARD[name][0], "threads": threads, "questions": len(questions),
             "setting": engines.FORWARD[name][1] if size else "all submitted at once, with spans",
             "batch_size": size or None, "seconds": round(min(times[name]) / 1e3, 3),
             "questions_per_second": round(len(questions) / min(times[name]) * 1e3, 1)}
            for name, size in sizes.items()]


def gflop(tokens: int, config: dict) -> float:
    """Multiply-adds of the encoder's products, counted as two operations (DistilBERT, BERT)."""
    layers = config.get("n_layers", config.get("num_hidden_layers"))
    hidden = config.get("dim", config.get("hidden_size"))
    inner = config.get("hidden_dim", config.get("intermediate_size"))
    per_layer = tokens * hidden * (4 * hidden + 2 * inner) + 2 * tokens * tokens * hidden
    return 2 * layers * per_layer / 1e9


def chosen_sections(names: str) -> set[str]:
    """Of BENCH_ONLY's value, names separated by commas; all without one."""
    chosen = set(filter(None, names.split(","))) or set(SECTIONS)
    if unknown := sorted(chosen - set(SECTIONS)):
        raise SystemExit(f"bench: BENCH_ONLY names {', '.join(unknown)}; sections are "
                         f"{', '.join(SECTIONS)}")
    return chosen


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


def prepare_models(scratch: str, data: str, quick: bool) -> list[Paths]:
    """The default model and one of DistilBERT-base's shape, each with its exports.

    What is made stays in BENCH_CACHE, under names with a digest of all that it depends on.
    """
    default, cache = Paths(), os.environ.get("BENCH_CACHE", ".bench-models")
    versions = json.dumps(machine.package_versions())
    key = digest(["bench/make_model.py", f"{default.model}/tokenizer.json"], versions)
    shape = made_once(f"{cache}/{key}/distilbert-base-random",
                      [default.python, "bench/make_model.py", default.model, "OUT"])
    train = f"{data}/squad-train-v1.1.json.xz"
    questions = texts.squad_questions(train, 20 if quick else 300)
    if not questions:
        raise SystemExit(f"bench: {train} is missing: NNCF calibrates with it")
    samples = write_pairs(f"{scratch}/calibration.tsv", questions)
    models = []
    for model in (default.model, shape):
        inputs = ["bench/export_onnx.py", samples, f"{model}/config.json",
                  f"{model}/model.safetensors"]
        folder = f"{cache}/{digest(inputs, versions)}/{os.path.basename(model)}-exports"
        made_once(folder, [default.python, "bench/export_onnx.py", model, "OUT", samples])
        models.append(Paths(model=model, onnx=folder))
    return models


def read_pairs(model: str) -> dict:
    from transformers import AutoTokenizer
    tokenizer = AutoTokenizer.from_pretrained(model)
    with open("examples/bert-abstract.txt", encoding="utf-8") as file:
        abstract = file.read()
    return {tokens: texts.pair_of(tokens, tokenizer, abstract) for tokens in TOKENS}


def gflop_of(paths: Paths) -> dict:
    with open(f"{paths.model}/config.json", encoding="utf-8") as file:
        config = json.load(file)
    return {str(tokens): round(gflop(tokens, config), 4) for tokens in TOKENS}


def measure_all(result: dict, models: list[Paths], effort: Effort, data: str, scratch: str,
                sections: set[str]) -> None:
    thread_counts = [int(n) for n in os.environ.get("BENCH_THREADS", "1 2").split()]
    thread_counts = [n for n in thread_counts if n <= len(os.sched_getaffinity(0))]
    default, most = models[0], thread_counts[-1]
    pairs = read_pairs(default.model)
    for paths in models:
        name = os.path.basename(paths.model)
        result["gflop"][name], result["logit_differences"][name] = gflop_of(paths), {}
        for threads in thread_counts if "forward" in sections else ():
            print(f"bench: forward, {name}, {threads} threads", flush=True)
            rows, found = measure_forward(threads, pairs, effort, paths)
            result["rows"] += rows
            before = result["logit_differences"][name]
            result["logit_differences"][name] = {
                key: max(value, before.get(key, 0.0)) for key, value in found.items()}
    for threads in thread_counts if "answer" in sections else ():
        print(f"bench: answers, {threads} threads", flush=True)
        result["answer"] += measure_answers(threads, pairs, effort, default,
                                            os.path.basename(default.model))
    if "load" in sections:
        print("bench: load times and memory", flush=True)
        result["load"] = [row for paths in models
                          for row in measure_loads(most, pairs[384], effort, paths)]
    if "batch" not in sections:
        return
    path = f"{data}/squad-dev-v1.1.json.xz"
    questions = texts.squad_questions(path, effort.batch_questions)
    if questions:
        print(f"bench: batch of {len(questions)} questions", flush=True)
        result["batch"] = measure_batch(most, questions, effort, default, scratch)
    else:
        print(f"bench: batch left out: {path} is missing", flush=True)


def main() -> None:
    quick = os.environ.get("BENCH_QUICK", "") not in ("", "0")
    sections = chosen_sections(os.environ.get("BENCH_ONLY", ""))
    data = os.environ.get("LAMBERT_DATA", "../shared/data")
    with tempfile.TemporaryDirectory() as scratch:
        models = prepare_models(scratch, data, quick)
        build = models[0].build
        result = {"machine": machine.facts(build), "quick": quick, "rows": [], "answer": [],
                  "load": [], "batch": [], "logit_differences": {}, "gflop": {}}
        measure_all(result, models, QUICK if quick else FULL, data, scratch, sections)
        result["machine"]["peak_after"] = machine.peak(f"{build}/bench_peak")
    report.write(result, os.environ.get("BENCH_RESULTS", "bench/results"))


if __name__ == "__main__":
    main()
