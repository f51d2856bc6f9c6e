"""Measurements of engines that take turns (engines.py): A B C A B C ..., many rounds."""
import dataclasses
import statistics
import time

import engines
import prepare

REPEATS = {32: 10, 128: 5, 384: 3}  # tokens -> measurements at each visit
BATCH_SIZES = (1, 4, 8, 16, 32)
PAUSE_S = 0.02  # between engines: a pool that spins for work goes to sleep


@dataclasses.dataclass
class Effort:
    rounds: int
    answer_rounds: int
    mixed_rounds: int
    mixed_questions: int
    loads: int
    batch_rounds: int
    batch_questions: int
    batch_sample: int  # questions that the batch size is chosen with


FULL = Effort(rounds=9, answer_rounds=8, mixed_rounds=3, mixed_questions=100, loads=3,
              batch_rounds=1, batch_questions=2000, batch_sample=160)
QUICK = Effort(rounds=2, answer_rounds=2, mixed_rounds=1, mixed_questions=20, loads=2,
               batch_rounds=1, batch_questions=160, batch_sample=32)


def take_turns(workers, command: str, pairs: dict, rounds: int) -> dict:
    """{(engine, tokens): [ms, ...]}. The first call of each visit warms up and does not count."""
    times = {(w.name, tokens): [] for w in workers for tokens in pairs}
    for _ in range(rounds):
        for tokens, pair in pairs.items():
            for worker in workers:
                time.sleep(PAUSE_S)
                taken = worker.ask(command, REPEATS[tokens] + 1, *pair)
                times[worker.name, tokens] += taken[1:]
    return times


def percentile(values, share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def summary(values) -> dict:
    return {"p50_ms": round(statistics.median(values), 4),
            "p95_ms": round(percentile(values, 0.95), 4), "samples": len(values)}


def rows_of(times: dict, settings: dict, threads: int, name: str, precision="fp32") -> list[dict]:
    return [{"model": name, "precision": precision, "engine": settings[worker][0],
             "setting": settings[worker][1], "threads": threads, "tokens": tokens,
             **summary(values)} for (worker, tokens), values in times.items()]


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


def open_all(names, threads: int, paths):
    return [engines.Worker(name, threads, paths) for name in names]


def close_all(workers) -> None:
    for worker in workers:
        worker.close()


def forward(threads: int, pairs: dict, effort: Effort, paths):
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
        rows += rows_of(times, settings, threads, paths.name, precision)
    return rows, found


def capped(threads: int, pairs: dict, effort: Effort, paths) -> list[dict]:
    """In int8 as on a CPU that has AVX2 and no more."""
    workers = open_all(engines.CAPPED, threads, paths)
    times = take_turns(workers, "FORWARD", pairs, effort.rounds)
    close_all(workers)
    return rows_of(times, engines.CAPPED, threads, paths.name, "int8")


def answers(threads: int, pairs: dict, effort: Effort, paths) -> list[dict]:
    workers = open_all(engines.ANSWER, threads, paths)
    times = take_turns(workers, "ANSWER", pairs, effort.answer_rounds)
    close_all(workers)
    return rows_of(times, engines.ANSWER, threads, paths.name)


def mixed(threads: int, questions, effort: Effort, paths, scratch: str) -> list[dict]:
    """One question after another, of all lengths that one window takes."""
    path = prepare.write_pairs(f"{scratch}/mixed.tsv", questions)
    workers = open_all(engines.MIXED, threads, paths)
    times = {worker.name: [] for worker in workers}
    for _ in range(effort.mixed_rounds):
        for worker in workers:
            time.sleep(PAUSE_S)
            times[worker.name] += worker.ask("MIXED", path)
    close_all(workers)
    return [{"engine": engines.MIXED[name][0], "setting": engines.MIXED[name][1],
             "threads": threads, "questions": len(questions), **summary(values)}
            for name, values in times.items()]


def load_once(name: str, threads: int, pair, paths) -> tuple:
    with engines.Worker(name, threads, paths) as worker:
        worker.ask("FORWARD", 1, *pair)
        first = (time.perf_counter() - worker.started) * 1e3
        return worker.load_ms, first, worker.ask("MEMORY")[0] / 1024


def loads(threads: int, pair, effort: Effort, paths) -> list[dict]:
    """From files in the page cache to a model that is ready; memory after one forward pass."""
    settings = {name: (precision, *both) for precision, group in engines.PRECISIONS.items()
                for name, both in group.items()}
    turns = [{name: load_once(name, threads, pair, paths) for name in settings}
             for _ in range(effort.loads)]
    return [{"model": paths.name, "precision": settings[name][0],
             "engine": settings[name][1], "setting": settings[name][2], "threads": threads,
             "load_ms": round(statistics.median(turn[name][0] for turn in turns), 2),
             "process_start_to_first_result_ms":
                 round(statistics.median(turn[name][1] for turn in turns), 1),
             "peak_memory_mib": round(max(turn[name][2] for turn in turns), 1)}
            for name in settings]


def best_batch_size(worker, path: str) -> int:
    if worker.name in engines.OWN_BATCHES:
        return 0
    return min(BATCH_SIZES, key=lambda size: worker.ask("BATCH", path, size)[0])


def batch(threads: int, questions, effort: Effort, paths, scratch: str) -> list[dict]:
    sample = prepare.write_pairs(f"{scratch}/sample.tsv",
                                 questions[::len(questions) // effort.batch_sample])
    whole = prepare.write_pairs(f"{scratch}/whole.tsv", questions)
    rows = []
    for precision, settings in engines.BATCH.items():
        workers = open_all(settings, threads, paths)
        sizes = {worker.name: best_batch_size(worker, sample) for worker in workers}
        times = {worker.name: [] for worker in workers}
        for _ in range(effort.batch_rounds):
            for worker in workers:
                time.sleep(PAUSE_S)
                times[worker.name] += worker.ask("BATCH", whole, sizes[worker.name])
        close_all(workers)
        rows += [{"engine": settings[name][0], "precision": precision, "threads": threads,
                  "questions": len(questions), "setting": settings[name][1],
                  "batch_size": size or None, "seconds": round(min(times[name]) / 1e3, 3),
                  "questions_per_second": round(len(questions) / min(times[name]) * 1e3, 1)}
                 for name, size in sizes.items()]
    return rows
