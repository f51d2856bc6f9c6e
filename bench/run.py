"""Measures Lambert beside ONNX Runtime, OpenVINO and PyTorch in fp32 and int8.

All have the same models, texts, threads and machine.

The engines take turns (A B C A B C ...) for many rounds, so that whatever else the machine does
meets all of them alike. Results: bench/results/latest.json, latest.md and SVG plots.
Environment: BENCH_QUICK=1 for few rounds; BENCH_ONLY, some of SECTIONS, default all; BENCH_CACHE,
the folder of the peers' models, kept between runs, default .bench-models; BENCH_THREADS, default
"1 2"; LAMBERT_DATA, the folder of squad-dev-v1.1.json.xz and squad-train-v1.1.json.xz, default
../shared/data; BENCH_RESULTS, default bench/results.
"""
import os
import tempfile
import time

os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"

import machine
import measure
import prepare
import programs
import report
import texts

SECTIONS = ("forward", "avx2", "answer", "mixed", "load", "cold", "batch", "kernels",
            "instructions")


def chosen_sections(names: str, known=SECTIONS) -> set[str]:
    """Of BENCH_ONLY's value, names separated by commas; all without one."""
    chosen = set(filter(None, names.split(","))) or set(known)
    if unknown := sorted(chosen - set(known)):
        raise SystemExit(f"bench: BENCH_ONLY names {', '.join(unknown)}; sections are "
                         f"{', '.join(known)}")
    return chosen


class Run:
    """The sections, each of which adds its rows to the result."""

    def __init__(self, models, effort, quick: bool, data: str, scratch: str):
        counts = [int(n) for n in os.environ.get("BENCH_THREADS", "1 2").split()]
        self.thread_counts = [n for n in counts if n <= len(os.sched_getaffinity(0))]
        self.models, self.effort, self.quick = models, effort, quick
        self.default, self.most = models[0], self.thread_counts[-1]
        self.pairs = prepare.pairs_of(self.default.model)
        self.scratch, self.dev = scratch, f"{data}/squad-dev-v1.1.json.xz"
        self.result = {"machine": machine.facts(self.default.build), "quick": quick, "rows": [],
                       "logit_differences": {paths.name: {} for paths in models},
                       "gflop": {paths.name: prepare.gflop_of(paths) for paths in models}}

    def forward(self) -> None:
        for paths in self.models:
            differences = self.result["logit_differences"][paths.name]
            for threads in self.thread_counts:
                rows, found = measure.forward(threads, self.pairs, self.effort, paths)
                self.result["rows"] += rows
                for key, value in found.items():
                    differences[key] = max(value, differences.get(key, 0.0))

    def avx2(self) -> None:
        if "avx512f" not in self.result["machine"]["isa"]:
            print("bench: avx2 left out: this CPU has nothing above AVX2, see forward", flush=True)
            return
        self.result["avx2"] = [row for paths in self.models for threads in self.thread_counts
                               for row in measure.capped(threads, self.pairs, self.effort, paths)]

    def answer(self) -> None:
        self.result["answer"] = [
            row for threads in self.thread_counts
            for row in measure.answers(threads, self.pairs, self.effort, self.default)]

    def mixed(self) -> None:
        questions = self.questions(self.effort.mixed_questions)
        questions = texts.of_one_window(questions, self.default.model, max(prepare.TOKENS))
        self.result["mixed"] = [
            row for threads in self.thread_counts
            for row in measure.mixed(threads, questions, self.effort, self.default, self.scratch)]

    def load(self) -> None:
        self.result["load"] = [
            row for paths in self.models
            for row in measure.loads(self.most, self.pairs[384], self.effort, paths)]

    def cold(self) -> None:
        self.result["cold"] = [
            row for paths in self.models for threads in self.thread_counts
            for row in programs.cold(threads, self.pairs, 5 if self.quick else 20, paths,
                                     self.scratch)]

    def batch(self) -> None:
        questions = self.questions(self.effort.batch_questions)
        self.result["batch"] = measure.batch(self.most, questions, self.effort, self.default,
                                             self.scratch)

    def kernels(self) -> None:
        self.result["kernels"] = programs.kernels(self.default.build)

    def instructions(self) -> None:
        self.result["instructions"] = programs.instructions(self.pairs, self.default, self.scratch)

    def questions(self, wanted: int) -> list:
        questions = texts.squad_questions(self.dev, wanted)
        if not questions:
            raise SystemExit(f"bench: {self.dev} is missing")
        return questions


def main() -> None:
    quick = os.environ.get("BENCH_QUICK", "") not in ("", "0")
    sections = chosen_sections(os.environ.get("BENCH_ONLY", ""))
    data = os.environ.get("LAMBERT_DATA", "../shared/data")
    with tempfile.TemporaryDirectory() as scratch:
        models = prepare.models(scratch, data, quick)
        run = Run(models, measure.QUICK if quick else measure.FULL, quick, data, scratch)
        for section in SECTIONS:
            if section not in sections:
                continue
            begin = time.monotonic()
            print(f"bench: {section} ...", flush=True)
            getattr(run, section)()
            print(f"bench: {section}: {time.monotonic() - begin:.0f} s", flush=True)
        run.result["machine"]["peak_after"] = machine.peak(f"{models[0].build}/bench_peak")
    report.write(run.result, os.environ.get("BENCH_RESULTS", "bench/results"))


if __name__ == "__main__":
    main()
