"""Writes the results as JSON, tables and plots: report.py [FOLDER] renders FOLDER/latest.json anew.

A section that was not measured is left out.
"""
import json
import math
import os
import sys

NAMES = {"lambert": "Lambert", "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO",
         "pytorch": "PyTorch"}
SHORT = {"onnxruntime": "ORT", "openvino": "OpenVINO", "pytorch": "PyTorch"}


def peak_rate(machine: dict, threads: int, precision: str = "fp32") -> float:
    """Best multiply-add rate of so many cores that was measured in this run, before or after.

    In 1e9 a second, of any instruction for the precision. Only one core and all cores are
    measured; a number between is so many times the rate of one.
    """
    unit = "_gflops" if precision == "fp32" else "_gops"
    kind = unit + ("_all" if threads == machine["cores"] else "_one")
    best = max(value for when in ("peak_before", "peak_after")
               for key, value in machine.get(when, {}).items() if key.endswith(kind))
    return best if threads == machine["cores"] else threads * best


def share_of_limit(result: dict, row: dict) -> float:
    work = result["gflop"][row["model"]]
    peak = peak_rate(result["machine"], row["threads"], row["precision"])
    return work[str(row["tokens"])] / row["p50_ms"] * 1e3 / peak


def cell(rows, engine: str, threads: int, tokens: int) -> dict | None:
    """The engine's best setting at this place."""
    return min((row for row in rows if row["engine"] == engine and row["threads"] == threads
                and row["tokens"] == tokens), key=lambda row: row["p50_ms"], default=None)


def places(rows) -> list[tuple[int, int]]:
    return sorted({(row["threads"], row["tokens"]) for row in rows})


def table(header, lines) -> str:
    rule = ["---"] * 2 + ["---:"] * (len(header) - 2)
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in [header, rule, *lines])


def times(row: dict | None) -> str:
    return f"{row['p50_ms']:.2f} / {row['p95_ms']:.2f}" if row else "-"


def ratio(row: dict, ours: dict | None) -> str:
    return f"{row['p50_ms'] / ours['p50_ms']:.2f}x" if ours else "-"


def best_peer(rows, threads: int, tokens: int) -> dict | None:
    return min((found for engine in SHORT if (found := cell(rows, engine, threads, tokens))),
               key=lambda row: row["p50_ms"], default=None)


def kinds_of(rows) -> list[tuple[str, str]]:
    return list(dict.fromkeys((row["model"], row["precision"]) for row in rows))


def summary_table(result: dict) -> str:
    """Lambert against the best engine at each place."""
    lines = []
    for model, precision in kinds_of(result["rows"]):
        rows = [row for row in result["rows"]
                if (row["model"], row["precision"]) == (model, precision)]
        ratios = {}
        for place in places(rows):
            ours, theirs = cell(rows, "lambert", *place), best_peer(rows, *place)
            if ours and theirs:
                ratios[place] = theirs["p50_ms"] / ours["p50_ms"]
        if not ratios:
            continue
        mean = math.exp(sum(map(math.log, ratios.values())) / len(ratios))
        lines.append([model, precision, f"{mean:.2f}x",
                      *(f"{ratios[place]:.2f}x" if place in ratios else "-"
                        for place in places(result["rows"]))])
    return table(["model", "precision", "geometric mean",
                  *(f"{tokens} tokens, {threads} thread{'s' * (threads > 1)}"
                    for threads, tokens in places(result["rows"]))], lines)


def forward_table(result: dict, model: str, precision: str) -> str:
    """Each engine's best setting at each place."""
    rows = [row for row in result["rows"]
            if row["model"] == model and row["precision"] == precision]
    peers = [name for name in SHORT if any(row["engine"] == name for row in rows)]
    lines = []
    for threads, tokens in places(rows):
        ours = cell(rows, "lambert", threads, tokens)
        theirs = [cell(rows, engine, threads, tokens) for engine in peers]
        lines.append([threads, tokens, *map(times, [ours, *theirs]),
                      *(ratio(row, ours) for row in theirs),
                      f"{share_of_limit(result, ours):.0%}" if ours else "-"])
    return table(["threads", "tokens", "Lambert", *(NAMES[name] for name in peers),
                  *(f"{SHORT[name]} / Lambert" for name in peers), "of peak"], lines)


def rows_table(result: dict) -> str:
    return table(["model", "engine", "precision", "setting", "threads", "tokens", "p50 ms",
                  "p95 ms", "of this machine's limit"],
                 [[row["model"], NAMES[row["engine"]], row["precision"], row["setting"],
                   row["threads"], row["tokens"], f"{row['p50_ms']:.2f}", f"{row['p95_ms']:.2f}",
                   f"{share_of_limit(result, row):.0%}"] for row in result["rows"]])


def difference_table(result: dict) -> str:
    return table(["model", "engine", "largest difference"],
                 [[model, name, f"{value:.1e}"]
                  for model, found in result["logit_differences"].items()
                  for name, value in found.items()])


def capped_table(result: dict) -> str:
    rows, lines = result["avx2"], []
    for model, _ in kinds_of(rows):
        mine = [row for row in rows if row["model"] == model]
        for threads, tokens in places(mine):
            ours = cell(mine, "lambert", threads, tokens)
            theirs = cell(mine, "openvino", threads, tokens)
            lines.append([model, threads, tokens, times(ours), times(theirs), ratio(theirs, ours)])
    return table(["model", "threads", "tokens", "Lambert", "OpenVINO", "OpenVINO / Lambert"], lines)


def mixed_table(result: dict) -> str:
    rows, lines = result["mixed"], []
    for row in rows:
        ours = next(other for other in rows
                    if other["engine"] == "lambert" and other["threads"] == row["threads"])
        lines.append([NAMES[row["engine"]], row["setting"], row["threads"], times(row),
                      ratio(row, ours)])
    return table(["engine", "setting", "threads", "p50 / p95 ms", "p50 / Lambert's"], lines)


def cold_table(result: dict) -> str:
    return table(["model", "engine and setting", "threads", "first byte ms", "end of process ms",
                  "the same answer, warm, ms"],
                 [[row["model"], f"{NAMES[row['engine']]}: {row['setting']}", row["threads"],
                   row["first_ms"], row["exit_ms"], warm_time(result, row)]
                  for row in result["cold"]])


def warm_time(result: dict, cold: dict) -> str:
    rows = [row for row in result["rows"]
            if row["model"] == cold["model"] and row["precision"] == "int8"]
    warm = cell(rows, cold["engine"], cold["threads"], 128)
    return f"{warm['p50_ms']:.2f}" if warm else "-"


# What the kernels of a set multiply with, as bench_peak calls it.
MULTIPLIES_WITH = {
    "int8": {"avx2": "avx2_int8", "avx512": "avx2_int8", "avx_vnni": "avx_vnni",
             "avx512_vnni": "avx512_vnni", "amx_int8": "amx_int8"},
    "fp32": {"avx2": "avx2", "avx_vnni": "avx2", "avx512": "avx512", "avx512_vnni": "avx512",
             "amx_int8": "avx512"},
}


def isa_peak(machine: dict, row: dict) -> float | None:
    """The measured rate of these instructions on one core."""
    unit = "_gops_one" if row["precision"] == "int8" else "_gflops_one"
    key = MULTIPLIES_WITH[row["precision"]][row["isa"]] + unit
    return max((machine[when][key] for when in ("peak_before", "peak_after")
                if key in machine.get(when, {})), default=None)


def kernel_table(result: dict) -> str:
    lines = []
    for row in result["kernels"]:
        peak = isa_peak(result["machine"], row)
        lines.append([row["isa"], row["precision"], row["shape"], row["tokens"],
                      f"{row['gops']:.0f}", f"{row['gops'] / peak:.0%}" if peak else "-"])
    return table(["kernels", "precision", "shape", "tokens", "GOPS", "of the instruction's peak"],
                 lines)


def instruction_table(result: dict) -> str:
    return table(["model", "precision", "kernels", "tokens", "instructions"],
                 [[row["model"], row["precision"], row["isa"], row["tokens"],
                   f"{row['instructions']:,}"] for row in result["instructions"]])


def answer_table(result: dict) -> str:
    lines = []
    for threads, tokens in places(result["answer"]):
        ours = cell(result["answer"], "lambert", threads, tokens)
        theirs = cell(result["answer"], "transformers", threads, tokens)
        lines.append([threads, tokens, *(f"{row['p50_ms']:.2f} / {row['p95_ms']:.2f}"
                                         for row in (ours, theirs)),
                      f"{theirs['p50_ms'] / ours['p50_ms']:.2f}x"])
    return table(["threads", "tokens", "Lambert", "transformers pipeline", "ratio"], lines)


def load_table(result: dict) -> str:
    keys = ("model", "precision", "engine", "setting", "load_ms",
            "process_start_to_first_result_ms", "peak_memory_mib")
    return table(["model", "precision", "engine", "setting", "load ms",
                  "process start to first result ms", "peak memory MiB"],
                 [[row.get(key, "-") for key in keys] for row in result["load"]])


def batch_table(result: dict) -> str:
    return table(["engine", "precision", "setting", "threads", "batch size", "seconds",
                  "questions / s"],
                 [[NAMES[row["engine"]], row["precision"], row["setting"], row["threads"],
                   row["batch_size"] or "-", row["seconds"], row["questions_per_second"]]
                  for row in result["batch"]])


def machine_text(result: dict) -> str:
    machine = result["machine"]
    peaks = ", ".join(f"{key} {value}" for key, value in machine["peak_after"].items())
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (f"{machine['cpu']}, {machine['cores']} cores, {', '.join(machine['isa'])}; measured: "
            f"{peaks}.\n{versions}.")


def forward_parts(result: dict) -> list[str]:
    parts = []
    for model, precision in kinds_of(result["rows"]):
        parts += [f"## One question, {model}, {precision}, p50 / p95 ms",
                  forward_table(result, model, precision)]
    return parts


def section(result: dict, key: str, title: str, rendered) -> list[str]:
    return [f"## {title}", rendered(result)] if result.get(key) else []


def markdown(result: dict) -> str:
    parts = ["# Benchmark", "Made by `make bench`; bench/README.md says how to read it."
             + (" A quick run: few rounds." if result["quick"] else ""), machine_text(result)]
    parts += section(result, "rows", "Lambert against the best engine at each place",
                     summary_table)
    parts += forward_parts(result)
    parts += section(result, "avx2", "int8, each kept to AVX2, p50 / p95 ms", capped_table)
    parts += section(result, "answer", "Text to answer, fp32, p50 / p95 ms", answer_table)
    parts += section(result, "mixed", "One question after another, of mixed lengths, int8",
                     mixed_table)
    parts += section(result, "cold", "From exec to an answer, int8, 128 tokens", cold_table)
    parts += section(result, "load", "Load and memory", load_table)
    if result.get("batch"):
        count = result["batch"][0]["questions"]
        parts += [f"## Batch: {count} questions of SQuAD v1.1 dev", batch_table(result)]
    parts += section(result, "kernels", "Products of matrices, one core", kernel_table)
    parts += section(result, "instructions", "Instructions of one `lambert ask`, by callgrind",
                     instruction_table)
    parts += section(result, "rows", "Every setting", rows_table)
    if any(result.get("logit_differences", {}).values()):
        parts += ["## Largest difference of a logit to PyTorch's in fp32", difference_table(result)]
    return "\n\n".join(parts) + "\n"


def write(result: dict, folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/latest.json", "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    text = markdown(result)
    with open(f"{folder}/latest.md", "w", encoding="utf-8") as file:
        file.write(text)
    draw(result, folder)
    print("\n" + text)


def draw(result: dict, folder: str) -> None:
    try:
        import plot
    except ModuleNotFoundError:
        print("bench: no plots: matplotlib is not there", file=sys.stderr)
        return
    plot.write(result, folder)


def main(folder: str = "bench/results") -> None:
    with open(f"{folder}/latest.json", encoding="utf-8") as file:
        write(json.load(file), folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
