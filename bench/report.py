"""Writes the results as JSON and as tables: report.py [FOLDER] renders FOLDER/latest.json anew."""
import json
import os
import sys


def peak_gflops(machine: dict, threads: int) -> float:
    """Best fp32 rate of so many cores at once that was measured in this run, before or after.

    Only one core and all cores are measured; a number between is so many times the rate of one.
    """
    kind = "_gflops_all" if threads == machine["cores"] else "_gflops_one"
    best = max(value for when in ("peak_before", "peak_after")
               for key, value in machine.get(when, {}).items() if key.endswith(kind))
    return best if threads == machine["cores"] else threads * best


def cell(rows, engine: str, threads: int, tokens: int) -> dict:
    """The engine's best setting at this place."""
    return min((row for row in rows if row["engine"] == engine and row["threads"] == threads
                and row["tokens"] == tokens), key=lambda row: row["p50_ms"])


def places(rows) -> list[tuple[int, int]]:
    return sorted({(row["threads"], row["tokens"]) for row in rows})


def table(header, lines) -> str:
    rule = ["---"] * 2 + ["---:"] * (len(header) - 2)
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in [header, rule, *lines])


def forward_table(result: dict) -> str:
    lines = []
    for threads, tokens in places(result["rows"]):
        ours, ort, torch = (cell(result["rows"], engine, threads, tokens)
                            for engine in ("lambert", "onnxruntime", "pytorch"))
        share = result["gflop"][str(tokens)] / ours["p50_ms"] * 1e3 / peak_gflops(
            result["machine"], threads)
        lines.append([threads, tokens, *(f"{row['p50_ms']:.2f} / {row['p95_ms']:.2f}"
                                         for row in (ours, ort, torch)),
                      f"{ort['p50_ms'] / ours['p50_ms']:.2f}x",
                      f"{torch['p50_ms'] / ours['p50_ms']:.2f}x", f"{share:.0%}"])
    return table(["threads", "tokens", "Lambert", "ONNX Runtime", "PyTorch", "ORT / Lambert",
                  "PyTorch / Lambert", "of peak"], lines)


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
    return table(["engine", "setting", "load ms", "process start to first result ms",
                  "peak memory MiB"],
                 [[row["engine"], row["setting"], row["load_ms"],
                   row["process_start_to_first_result_ms"], row["peak_memory_mib"]]
                  for row in result["load"]])


def batch_table(result: dict) -> str:
    return table(["engine", "setting", "threads", "batch size", "seconds", "questions / s"],
                 [[row["engine"], row["setting"], row["threads"], row["batch_size"] or "-",
                   row["seconds"], row["questions_per_second"]] for row in result["batch"]])


def machine_text(result: dict) -> str:
    machine = result["machine"]
    peaks = ", ".join(f"{key} {value}" for key, value in machine["peak_after"].items())
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (f"{machine['cpu']}, {machine['cores']} cores, {', '.join(machine['isa'])}; measured: "
            f"{peaks}.\n{versions}.")


def markdown(result: dict) -> str:
    model = result["rows"][0]["model"]
    parts = [f"# Benchmark: {model}, fp32", "Made by `make bench`; bench/README.md says how to "
             "read it." + (" A quick run: few rounds." if result["quick"] else ""),
             machine_text(result), "## One question, p50 / p95 ms", forward_table(result),
             f"Largest difference of a logit between engines: "
             f"{result['largest_logit_difference']:.1e}.",
             "## Text to answer, p50 / p95 ms", answer_table(result), "## Load and memory",
             load_table(result)]
    if result["batch"]:
        count = result["batch"][0]["questions"]
        parts += [f"## Batch: {count} questions of SQuAD v1.1 dev", batch_table(result)]
    return "\n\n".join(parts) + "\n"


def write(result: dict, folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/latest.json", "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    text = markdown(result)
    with open(f"{folder}/latest.md", "w", encoding="utf-8") as file:
        file.write(text)
    print("\n" + text)


def main(folder: str = "bench/results") -> None:
    with open(f"{folder}/latest.json", encoding="utf-8") as file:
        write(json.load(file), folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
