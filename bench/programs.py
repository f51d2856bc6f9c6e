"""Measurements of programs that are run whole: cold starts, kernels, instruction counts."""
import glob
import json
import os
import re
import shutil
import statistics
import subprocess

import onnxruntime

COUNTED_TOKENS = (32, 128)


def lines_of(command, threads: int) -> list[str]:
    """What it prints, bound to the first `threads` cores."""
    cores = sorted(os.sched_getaffinity(0))[:threads]
    done = subprocess.run(command, capture_output=True, text=True,
                          preexec_fn=lambda: os.sched_setaffinity(0, cores), check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stderr}")
    return done.stdout.splitlines()


def ask_command(paths, threads: int, pair, scratch: str) -> list[str]:
    context = f"{scratch}/context.txt"
    with open(context, "w", encoding="utf-8") as file:
        file.write(pair[1])
    return [f"{paths.build}/lambert", "ask", "--model", f"{paths.packed}/int8.lambert",
            "--threads", str(threads), "--question", pair[0], "--context-file", context]


def ort_command(paths, threads: int, tokens: int) -> list[str]:
    libraries = glob.glob(f"{os.path.dirname(onnxruntime.__file__)}/capi/libonnxruntime.so.*")
    return [f"{paths.build}/bench_ort_first", libraries[0], f"{paths.onnx}/fused-int8.onnx",
            str(threads), str(tokens)]


def cold(threads: int, pairs: dict, count: int, paths, scratch: str) -> list[dict]:
    """From exec to the first byte of an answer and to the end of the process, int8, 128 tokens."""
    ours = ask_command(paths, threads, pairs[128], scratch)
    theirs = ort_command(paths, threads, 128)
    starts = [("lambert", "lambert ask, packed model", ours, []),
              ("onnxruntime", "C++, create and run, fused int8", theirs, []),
              ("lambert", "lambert ask, page cache dropped", ours,
               [ours[0], f"{paths.packed}/int8.lambert"]),
              ("onnxruntime", "C++, page cache dropped", theirs, [theirs[1], theirs[2]])]
    rows = []
    for engine, setting, command, dropped in starts:
        drop = ["--drop", *dropped] if dropped else []
        runs = [[float(field) for field in line.split()] for line in lines_of(
            [f"{paths.build}/bench_cold", str(count), *drop, "--", *command], threads)]
        rows.append({"model": paths.name, "engine": engine, "setting": setting,
                     "threads": threads, "samples": len(runs),
                     "first_ms": round(statistics.median(run[0] for run in runs), 2),
                     "exit_ms": round(statistics.median(run[1] for run in runs), 2)})
    return rows


def kernels(build: str) -> list[dict]:
    return [json.loads(line) for line in lines_of([f"{build}/bench_kernels"], 1)]


def instructions(pairs: dict, paths, scratch: str) -> list[dict]:
    """Of a whole `lambert ask` on AVX2, counted by callgrind: the same in every run."""
    if shutil.which("valgrind") is None:
        print("bench: instructions left out: valgrind is not there", flush=True)
        return []
    rows = []
    for tokens in COUNTED_TOKENS:
        done = subprocess.run(
            ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
             *ask_command(paths, 1, pairs[tokens], scratch)],
            capture_output=True, text=True, check=True, env=os.environ | {"LAMBERT_ISA": "avx2"})
        found = re.search(r"Collected : (\d+)", done.stderr)
        if not found:
            raise RuntimeError(f"callgrind counted nothing: {done.stderr}")
        rows.append({"model": paths.name, "precision": "int8", "isa": "avx2", "tokens": tokens,
                     "instructions": int(found[1])})
    return rows
