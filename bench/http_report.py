"""Writes http.json and http.md: http_report.py [FOLDER] renders FOLDER/http.json anew.

A section that was not measured is left out.
"""
import json
import os
import sys

import http_load as loads
from http_servers import AXUM, FASTAPI_ORT, FASTAPI_PIPELINE, LAMBERT
from report import section, table

NAMES = {LAMBERT: "Lambert", AXUM: "axum + ORT", FASTAPI_ORT: "FastAPI + ORT",
         FASTAPI_PIPELINE: "FastAPI + pipeline"}
PEERS = {"int8": (AXUM, FASTAPI_ORT), "fp32": (FASTAPI_PIPELINE,)}
COLUMNS = [(engine, precision) for precision, peers in PEERS.items()
           for engine in (LAMBERT, *peers)]
BOUNDS_MS = (10, 25, 50, 100, 250, 500)
OWN_SETTING = "default"  # Lambert has no settings to sweep: this one counts


def of(rows, **wanted) -> list[dict]:
    return [row for row in rows if all(row[key] == value for key, value in wanted.items())]


def counted(rows, engine: str, precision: str, **place) -> list[dict]:
    """An engine's rows at a place: every setting of a peer, Lambert's default alone."""
    more = {"setting": OWN_SETTING} if engine == LAMBERT else {}
    return of(rows, engine=engine, precision=precision, **place, **more)


def best(rows, engine: str, precision: str, **place) -> dict | None:
    return max(counted(rows, engine, precision, **place), key=lambda row: row["rps"],
               default=None)


def present(rows) -> list[tuple[str, str]]:
    return [(engine, precision) for engine, precision in COLUMNS
            if of(rows, engine=engine, precision=precision)]


def heading(column) -> str:
    return f"{NAMES[column[0]]} {column[1]}"


def places(rows, *keys) -> list[tuple]:
    return list(dict.fromkeys(tuple(row[key] for key in keys) for row in rows))


def number(value, digits: int = 1) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def times(row: dict | None) -> str:
    return (f"{row['rps']:.0f} ({number(row['p50_ms'])} / {number(row['p99_ms'])})" if row
            else "-")


def ratio(ours, theirs) -> str:
    return f"{ours / theirs:.2f}x" if ours and theirs else "-"


def compared(values: dict, precision: str) -> str:
    """Lambert's rate by the best peer's of the same precision; values are {column: rate}."""
    theirs = [values[engine, precision] for engine in PEERS[precision]
              if values.get((engine, precision))]
    return ratio(values.get((LAMBERT, precision)), max(theirs, default=None))


def compared_headings(columns) -> list[str]:
    return [f"Lambert / best peer, {precision}" for precision in PEERS
            if (LAMBERT, precision) in columns]


def rate_cells(values: dict, columns) -> list[str]:
    return [compared(values, precision) for precision in PEERS
            if (LAMBERT, precision) in columns]


def closed_table(result: dict) -> str:
    rows, lines = result["closed"], []
    columns = present(rows)
    for cores, texts, clients in places(rows, "cores", "texts", "clients"):
        found = {column: best(rows, *column, cores=cores, texts=texts, clients=clients)
                 for column in columns}
        rates = {column: row["rps"] for column, row in found.items() if row}
        lines.append([cores, texts, clients, *map(times, found.values()),
                      *rate_cells(rates, columns)])
    return table(["cores", "texts", "clients", *map(heading, columns),
                  *compared_headings(columns)], lines)


def rates_table(result: dict) -> str:
    rows, lines = result["rates"], []
    columns = present(rows)
    for cores, texts in places(rows, "cores", "texts"):
        for bound in BOUNDS_MS:
            found = {column: loads.highest_rate(
                counted(rows, *column, cores=cores, texts=texts), bound) for column in columns}
            if any(found.values()):
                lines.append([cores, texts, bound, *map(number, found.values()),
                              *rate_cells(found, columns)])
    return table(["cores", "texts", "p99 at most ms", *map(heading, columns),
                  *compared_headings(columns)], lines)


def overhead_table(result: dict) -> str:
    return table(["texts", "precision", "pairs", "lambert serve, p50 ms", "engine, p50 ms",
                  "difference, p50 ms"],
                 [[row["texts"], row["precision"], row["pairs"], row["http_p50_ms"],
                   row["engine_p50_ms"], row["difference_p50_ms"]] for row in result["overhead"]])


def batching_lines(rows) -> list[list]:
    lines = []
    for off in [row for row in rows if row["setting"] == "--concurrency 1"]:
        place = {key: off[key] for key in ("engine", "precision", "cores", "texts", "clients")}
        for on in of(rows, setting=OWN_SETTING, **place):
            lines.append([off["cores"], off["texts"], off["clients"], times(on), times(off),
                          ratio(on["rps"], off["rps"]),
                          number(on["p50_ms"] - off["p50_ms"], 3)])
    return lines


def batching_table(result: dict) -> str:
    lines = batching_lines(result["closed"])
    return table(["cores", "texts", "clients", "together", "one at a time (--concurrency 1)",
                  "requests / s, together / one", "p50, together - one, ms"], lines)


def overload_table(result: dict) -> str:
    lines = []
    for row in result["overload"]:
        others = {key: count for key, count in row["statuses"].items()
                  if key not in ("200", "429")}
        lines.append([f"{NAMES[row['engine']]} {row['precision']}", f"{row['factor']}x",
                      number(row["capacity_rps"]), number(row["offered_rps"]),
                      number(row["goodput_rps"]),
                      f"{row['goodput_rps'] / row['capacity_rps']:.0%}",
                      number(row["answered_p99_ms"]), row["statuses"].get("429", 0),
                      number(row["refused_p99_ms"]),
                      ", ".join(f"{key}: {count}" for key, count in others.items()) or "none",
                      number(row["recovery_s"], 2)])
    return table(["server", "offered", "capacity / s", "offered / s", "answered / s",
                  "of capacity", "p99 of answers ms", "429s", "p99 of 429s ms",
                  "other statuses", "recovery s"], lines)


def memory_table(result: dict) -> str:
    return table(["server", "cores", "setting", "PSS MiB"],
                 [[f"{NAMES[row['engine']]} {row['precision']}", row["cores"], row["setting"],
                   row["pss_mib"]] for row in result["memory"]])


def answers_table(result: dict) -> str:
    return table(["server", "texts", "asked", "replies", "empty answers",
                  "most different replies to one text", "the same answer as Lambert's"],
                 [[f"{NAMES[row['engine']]} {row['precision']}", row["set"], row["texts"],
                   row["replies"], row["empty"], row["most_different_replies_to_a_text"],
                   f"{row['equal']} of {row['compared']}"] for row in result["answers"]])


def machine_text(result: dict) -> str:
    machine, texts, effort = result["machine"], result["texts"], result["effort"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    sets = "; ".join(f"{name}: {each['texts']} questions of {each['shortest']} to "
                     f"{each['longest']} tokens, median {each['median']}"
                     for name, each in texts.items())
    return (f"{machine['cpu']}, {machine['cores']} cores, {', '.join(machine['isa'])}.\n"
            f"{versions}.\n\n{sets}. {effort['rounds']} rounds of {effort['seconds']} s, of which "
            f"{effort['skipped']} s warm up. ONNX Runtime has {result['onnx']['chosen']}.onnx.")


def markdown(result: dict) -> str:
    parts = ["# HTTP servers", "Made by `make bench-http`; bench/README.md says how to read it."
             + (" A quick run: short loads." if result["quick"] else ""), machine_text(result)]
    parts += section(result, "closed", "Requests a second (p50 / p99 ms) by clients",
                     closed_table)
    parts += section(result, "rates", "Requests a second at equal p99", rates_table)
    parts += section(result, "overhead", "What HTTP adds, one client, one core", overhead_table)
    if batching_lines(result.get("closed", [])):
        parts += ["## Windows of several requests together, Lambert int8: requests a second "
                  "(p50 / p99 ms)", batching_table(result)]
    parts += section(result, "overload", "More than a server can do, one core, mixed texts",
                     overload_table)
    parts += section(result, "memory", "Memory after the loads", memory_table)
    parts += section(result, "answers", "Answers", answers_table)
    return "\n\n".join(parts) + "\n"


def write(result: dict, folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/http.json", "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1)
        file.write("\n")
    text = markdown(result)
    with open(f"{folder}/http.md", "w", encoding="utf-8") as file:
        file.write(text)
    print("\n" + text)
    try:
        import http_plot
    except ImportError:
        print("bench: no plots: matplotlib is not there", file=sys.stderr)
        return
    http_plot.write(result, folder, NAMES)


def main(folder: str = "bench/results") -> None:
    with open(f"{folder}/http.json", encoding="utf-8") as file:
        write(json.load(file), folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
