"""Measures `lambert serve` beside servers of other parts, with the same requests on the same cores.

Results: bench/results/http.json and http.md. Environment: BENCH_QUICK=1 for a look; BENCH_ONLY,
some of SECTIONS, default all; BENCH_CORES, those of the servers, default "1 2"; OVERLOAD_SECONDS,
default 60 (quick: 3); BENCH_CACHE, LAMBERT_DATA, BENCH_RESULTS as in run.py; BENCH_BUILD, default
build; BENCH_AXUM, default build/http_axum/release/axum-ort.
"""
import dataclasses
import itertools
import json
import os
import sys
import tempfile
import time

import engines
import http_load as loads
import http_report
import http_servers as servers
import http_texts
import machine
import prepare
import run

SECTIONS = ("closed", "rates", "overhead", "overload")
CLIENTS = (1, 8, 64)
GRAPHS = ("fused-int8", "mha-int8")


@dataclasses.dataclass
class Effort:
    rounds: int
    seconds: float  # of a load, with what is skipped
    skipped: float  # at the beginning of each load
    questions: int
    shares: tuple  # of a server's rate with 64 clients, for loads at fixed rates
    overload_seconds: float
    probe_seconds: float


FULL = Effort(3, 4, 1, 500, (0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0), 60, 20)
QUICK = Effort(1, 1.2, 0.2, 100, (0.3, 0.6, 0.9), 3, 3)


class Run:
    def __init__(self, quick: bool, scratch: str):
        self.quick, self.scratch = quick, scratch
        self.effort = QUICK if quick else FULL
        if seconds := os.environ.get("OVERLOAD_SECONDS"):
            self.effort = dataclasses.replace(self.effort, overload_seconds=float(seconds))
        counts = [int(n) for n in os.environ.get("BENCH_CORES", "1 2").split()]
        self.core_counts = [n for n in counts if n <= len(os.sched_getaffinity(0))]
        data = os.environ.get("LAMBERT_DATA", "../shared/data")
        self.places = places_of(scratch, data)
        self.pairs = self.texts(f"{data}/squad-dev-v1.1.json.xz")
        self.bodies = {name: http_texts.write_bodies(f"{scratch}/{name}.jsonl", pairs)
                       for name, pairs in self.pairs.items()}
        self.replies = {}  # {(engine, precision, texts): loads.Replies}
        self.off = servers.batching_can_be_off(f"{self.places.build}/lambert")
        if not self.off:
            print("bench: batching off left out: this lambert serve has no --concurrency")
        self.result = {"machine": facts(self.places), "quick": quick,
                       "effort": dataclasses.asdict(self.effort), "texts": self.text_facts()}
        self.choose_graph()

    def texts(self, path: str) -> dict:
        found = http_texts.shuffled(path)
        count = self.effort.questions
        return {"mixed": http_texts.mixed(found, count),
                "short": http_texts.short(found, count, self.places.tokenizer)}

    def text_facts(self) -> dict:
        counts = {name: http_texts.token_counts(pairs, self.places.tokenizer)
                  for name, pairs in self.pairs.items()}
        return {name: {"texts": len(each), "shortest": each[0], "median": each[len(each) // 2],
                       "longest": each[-1]} for name, each in counts.items()}

    def load(self, server, texts: str, *load) -> list:
        setting = server.setting
        replies = self.replies.setdefault((setting.engine, setting.precision, texts),
                                          loads.Replies())
        return loads.run(server.port, self.bodies[texts], replies, self.places.build,
                         self.scratch, *load)

    def warm_up(self, server) -> None:
        for texts in self.bodies:
            self.load(server, texts, "closed", 2, self.effort.skipped)

    def settings(self, cores: int) -> list:
        found = servers.settings(cores, self.off)
        return [one for one in found if one.engine != servers.AXUM or self.places.axum]

    def choose_graph(self) -> None:
        """The faster one of ONNX Runtime's int8 graphs, for both servers that have it."""
        setting, rates = servers.Setting(servers.FASTAPI_ORT, "int8", 1), {}
        for graph in GRAPHS:
            places = dataclasses.replace(self.places, onnx=f"{self.places.onnx}/{graph}.onnx")
            with servers.Server(setting, places) as server:
                self.warm_up(server)
                rates[graph] = self.closed_row(server, "mixed", 1, [self.load(
                    server, "mixed", "closed", 1, self.effort.seconds)])["rps"]
        best = max(rates, key=rates.get)
        self.places = dataclasses.replace(self.places, onnx=f"{self.places.onnx}/{best}.onnx")
        self.result["onnx"] = {"chosen": best, "rps": rates}
        self.replies.clear()

    def closed_row(self, server, texts: str, clients: int, rounds) -> dict:
        return {**facts_of(server.setting), "texts": texts, "clients": clients,
                **loads.closed_summary(rounds, self.effort.skipped, self.effort.seconds)}

    def closed(self) -> None:
        self.result["closed"], self.result["memory"] = [], []
        for cores in self.core_counts:
            with servers.started(self.settings(cores), self.places) as group:
                for server in group:
                    self.warm_up(server)
                for texts in self.bodies:
                    for clients in CLIENTS:
                        self.result["closed"] += self.closed_group(group, texts, clients)
                self.result["memory"] += [{**facts_of(server.setting),
                                           "pss_mib": server.memory_mib()} for server in group]

    def closed_group(self, group, texts: str, clients: int) -> list[dict]:
        rounds = {server: [] for server in group}
        for _ in range(self.effort.rounds):
            for server in group:
                rounds[server].append(self.load(server, texts, "closed", clients,
                                                self.effort.seconds))
        return [self.closed_row(server, texts, clients, found)
                for server, found in rounds.items()]

    def best_settings(self, cores: int) -> list:
        """Of each engine and precision, by answers a second with 64 clients, as `closed` found."""
        rows = [row for row in self.result.get("closed", []) if row["cores"] == cores
                and row["clients"] == max(CLIENTS) and row["texts"] == "mixed"]
        best = {}
        for setting in self.settings(cores):
            if setting.concurrency is not None:
                continue
            measured = next((row["rps"] for row in rows if row["setting"] == setting.text and
                             row["engine"] == setting.engine and
                             row["precision"] == setting.precision), 0.0)
            key = setting.engine, setting.precision
            if key not in best or measured > best[key][0]:
                best[key] = measured, setting
        return [setting for _, setting in best.values()]

    def capacity(self, server, texts: str) -> float:
        records = self.load(server, texts, "closed", max(CLIENTS), self.effort.seconds)
        return loads.rate(records, self.effort.skipped, self.effort.seconds)

    def rates(self) -> None:
        self.result["rates"] = []
        for cores in self.core_counts:
            with servers.started(self.best_settings(cores), self.places) as group:
                for server in group:
                    self.warm_up(server)
                for texts in self.bodies:
                    capacities = {server: self.capacity(server, texts) for server in group}
                    for share in self.effort.shares:
                        self.result["rates"] += [
                            self.rate_row(server, texts, share, share * capacities[server])
                            for server in group]

    def rate_row(self, server, texts: str, share: float, rate: float) -> dict:
        records = self.load(server, texts, "open", rate, self.effort.seconds, 0)
        return {**facts_of(server.setting), "texts": texts, "share": share,
                **loads.open_summary(records, self.effort.skipped, self.effort.seconds)}

    def overhead(self) -> None:
        """One client of one core, text by text in turns with the engine without HTTP on that core."""
        self.result["overhead"] = []
        for precision in ("int8", "fp32"):
            name = "lambert-int8" if precision == "int8" else "lambert"
            with servers.Server(servers.Setting(servers.LAMBERT, precision, 1),
                                self.places) as server, \
                    engines.Worker(name, 1, self.places) as engine:
                self.warm_up(server)
                for texts in self.bodies:
                    self.result["overhead"].append(self.overhead_row(server, engine, texts))

    def overhead_row(self, server, engine, texts: str) -> dict:
        every_core = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {servers.core_of_load()})
        try:
            with loads.Client(server.port) as client:
                pairs = self.overhead_pairs(client, engine, texts)
        finally:
            os.sched_setaffinity(0, every_core)
        return {**facts_of(server.setting), "texts": texts, **loads.overhead_summary(pairs)}

    def overhead_pairs(self, client, engine, texts: str) -> list:
        pairs, end = [], time.monotonic() + 4 * self.effort.rounds * self.effort.seconds
        for question, context in itertools.cycle(self.pairs[texts]):
            if time.monotonic() > end:
                return pairs
            question, context = (" ".join(text.split()) for text in (question, context))
            body = json.dumps({"question": question, "context": context}).encode()
            http_first = client.ask_ms(body) if len(pairs) % 2 else None
            engine_ms = engine.ask("ANSWER", 1, question, context)[0]
            pairs.append((engine_ms, http_first or client.ask_ms(body)))
        raise AssertionError("no texts")

    def overload(self) -> None:
        self.result["overload"] = []
        for setting in self.best_settings(1):
            for factor in (2, 5, 10) if setting.engine == servers.LAMBERT else (5,):
                # A server of its own for each: the one before may not have come to rest.
                with servers.Server(setting, self.places) as server:
                    self.warm_up(server)
                    self.result["overload"].append(self.overload_row(server, factor))

    def overload_row(self, server, factor: int) -> dict:
        effort, texts = self.effort, "mixed"
        alone = loads.closed_summary([self.load(server, texts, "closed", 1, effort.seconds)],
                                     effort.skipped, effort.seconds)
        capacity = self.capacity(server, texts)
        records = self.load(server, texts, "open", factor * capacity, effort.overload_seconds,
                            effort.probe_seconds)
        return {**facts_of(server.setting), "texts": texts, "factor": factor,
                "capacity_rps": round(capacity, 1), "alone_p99_ms": alone["p99_ms"],
                **loads.overload_summary(records, effort.overload_seconds, alone["p99_ms"])}

    def answers(self) -> list[dict]:
        """What was answered, over all sections; how much of it is the same as Lambert's."""
        rows = []
        for (engine, precision, texts), replies in self.replies.items():
            ours = self.replies.get((servers.LAMBERT, precision, texts))
            same, both = loads.equal_answers(ours.answers(), replies.answers()) if ours else (0, 0)
            rows.append({"engine": engine, "precision": precision, "set": texts,
                         **replies.facts(), "compared": both, "equal": same})
        return rows


def facts_of(setting) -> dict:
    return {"engine": setting.engine, "precision": setting.precision, "cores": setting.cores,
            "setting": setting.text}


def places_of(scratch: str, data: str) -> servers.Places:
    build = os.environ.get("BENCH_BUILD", "build")
    axum = os.environ.get("BENCH_AXUM", f"{build}/http_axum/release/axum-ort")
    if not os.path.exists(axum):
        print(f"bench: axum-ort left out: {axum} is missing", file=sys.stderr)
        axum = ""
    model = prepare.Paths().model
    return servers.Places(build=build, python=sys.executable, model=model, axum=axum,
                          packed=prepare.packed(model, build, f"{scratch}/packed"),
                          onnx=prepare.exports(model, scratch, data, False))


def facts(places: servers.Places) -> dict:
    found = machine.facts(places.build)
    found["versions"] |= machine.versions_of(("fastapi", "uvicorn", "uvloop", "httptools",
                                              "tokenizers"))
    return found


def main() -> None:
    quick = os.environ.get("BENCH_QUICK", "") not in ("", "0")
    sections = run.chosen_sections(os.environ.get("BENCH_ONLY", ""), SECTIONS)
    with tempfile.TemporaryDirectory() as scratch:
        measured = Run(quick, scratch)
        for section in SECTIONS:
            if section not in sections:
                continue
            begin = time.monotonic()
            print(f"bench: {section} ...", flush=True)
            getattr(measured, section)()
            print(f"bench: {section}: {time.monotonic() - begin:.0f} s", flush=True)
        measured.result["answers"] = measured.answers()
    http_report.write(measured.result, os.environ.get("BENCH_RESULTS", "bench/results"))


if __name__ == "__main__":
    main()
