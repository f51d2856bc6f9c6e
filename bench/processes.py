"""What processes that map one packed model take together: `make bench-processes`.

Starts 1, 8 and 32 of `lambert batch` at once over the default model packed in int8, each with one
thread and the same questions of SQuAD v1.1 dev. When all have answered, and still run, their
proportional set size (PSS: a page that n processes share counts 1/n for each) and resident set size
are read from /proc. Every process must have given the same bytes of answers without an error.

    python3 bench/processes.py     writes bench/results/processes.json and processes.md
Environment: LAMBERT_DATA, the folder of squad-dev-v1.1.json.xz, default ../shared/data.
"""
import json
import lzma
import os
import pathlib
import statistics
import subprocess
import tempfile
import threading

import machine

ROOT = pathlib.Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
LAMBERT = ROOT / "build" / "lambert"
MODEL = ROOT / "models" / "distilbert-minilm-squad"
PROCESSES = (1, 8, 32)
QUESTIONS = 100
MB = 1e6


def questions() -> list[str]:
    folder = pathlib.Path(os.environ.get("LAMBERT_DATA") or ROOT.parent / "shared" / "data")
    with lzma.open(folder / "squad-dev-v1.1.json.xz", "rt", encoding="utf-8") as file:
        articles = json.load(file)["data"]
    lines = [json.dumps({"question": paragraph["qas"][0]["question"],
                         "context": paragraph["context"]})
             for article in articles for paragraph in article["paragraphs"]]
    return lines[::len(lines) // QUESTIONS][:QUESTIONS]


def resident(pid: int) -> dict:
    """Bytes of PSS, of RSS and of pages that no other process has."""
    sizes = {}
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        for line in file.readlines()[1:]:
            name, size = line.split()[:2]
            sizes[name.rstrip(":")] = int(size) * 1024
    return {"pss": sizes["Pss"], "rss": sizes["Rss"],
            "private": sizes["Private_Clean"] + sizes["Private_Dirty"]}


def feed(process, text: str):
    process.stdin.write(text)
    process.stdin.flush()


def run(bundle: str, count: int, lines: list[str]) -> dict:
    """`count` processes at once; their answers, errors and memory."""
    command = [str(LAMBERT), "batch", "--model", bundle, "--threads", "1"]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True) for _ in range(count)]
    feeders = [threading.Thread(target=feed, args=(process, "\n".join(lines) + "\n"))
               for process in processes]
    for feeder in feeders:
        feeder.start()
    answers = ["".join(process.stdout.readline() for _ in lines) for process in processes]
    if not all(text.count("\n") == len(lines) for text in answers):
        raise SystemExit(f"bench: of {count} processes some ended before they answered")
    memory = [resident(process.pid) for process in processes]
    for process, feeder in zip(processes, feeders):
        feeder.join()
        process.stdin.close()
    failed = sum(process.wait() != 0 for process in processes)
    return {"processes": count, "failed": failed, "answers": answers,
            **{name: [each[name] for each in memory] for name in memory[0]}}


def render(results: dict) -> str:
    text = [f"# Processes on one packed model\n\n{results['cpu']}, {results['cores']} cores, kernel "
            f"{results['kernel']}; default model in int8, a file of {results['file'] / MB:.1f} MB; "
            f"{QUESTIONS} questions each, one thread each. Megabytes (10^6), medians of processes.\n\n"
            "| processes | PSS each | private each | RSS each | PSS of all | failed | answers |\n"
            "|---:|---:|---:|---:|---:|---:|---|\n"]
    for row in results["rows"]:
        pss, private, rss = (statistics.median(row[name]) / MB for name in ("pss", "private", "rss"))
        text.append(f"| {row['processes']} | {pss:.1f} | {private:.1f} | {rss:.1f} | "
                    f"{sum(row['pss']) / MB:.1f} | {row['failed']} | "
                    f"{'the same bytes' if row['identical'] else 'DIFFER'} |\n")
    return "".join(text)


def main():
    lines = questions()
    with tempfile.TemporaryDirectory() as folder:
        bundle = os.path.join(folder, "model.lambert")
        subprocess.run([LAMBERT, "pack", MODEL, "-o", bundle, "--precision", "int8"], check=True,
                       stderr=subprocess.DEVNULL)
        rows = [run(bundle, count, lines) for count in PROCESSES]
        size = os.path.getsize(bundle)
    expected = rows[0]["answers"][0]
    for row in rows:
        row["identical"] = all(answers == expected for answers in row.pop("answers"))
    results = {**machine.cpu_facts(), "cores": len(os.sched_getaffinity(0)),
               "kernel": os.uname().release, "file": size, "rows": rows}
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "processes.json").write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    (RESULTS / "processes.md").write_text(render(results), encoding="utf-8")
    print(render(results), end="")
    if any(row["failed"] or not row["identical"] for row in rows):
        raise SystemExit("bench: processes failed or their answers differ")


if __name__ == "__main__":
    main()
