"""Runs the load generator (http/load.cc) and says what its records mean."""
import collections
import contextlib
import dataclasses
import json
import os
import socket
import statistics
import subprocess
import time

import http_servers as servers
import measure

CALM = 2.0  # a request is calm that takes no longer than this times the p99 without load
SPAN = 5  # requests in a row, of which most have to be calm after the recovery


@dataclasses.dataclass(frozen=True)
class Record:
    probe: bool
    due_ms: float
    latency_ms: float
    status: int
    body: int


def parse_records(lines) -> list[Record]:
    fields = (line.split("\t") for line in lines)
    return [Record(kind == "probe", float(due), float(latency), int(status), int(body))
            for kind, due, latency, status, body in fields]


class Replies:
    """What a server said to each body, over all of its turns: {body: {reply: count}}."""

    def __init__(self):
        self.found = collections.defaultdict(collections.Counter)

    def add(self, lines) -> None:
        for line in lines:
            body, count, reply = line.rstrip("\n").split("\t", 2)
            self.found[int(body)][reply] += int(count)

    def answers(self) -> dict[int, str]:
        """The answer to each body; of several the most frequent one."""
        return {body: json.loads(replies.most_common(1)[0][0])["answer"]
                for body, replies in self.found.items()}

    def facts(self) -> dict:
        each = [json.loads(reply)["answer"] for replies in self.found.values()
                for reply in replies]
        return {"texts": len(self.found), "replies": sum(map(lambda one: one.total(),
                                                             self.found.values())),
                "empty": sum(answer == "" for answer in each),
                "most_different_replies_to_a_text": max(map(len, self.found.values()), default=0)}


def equal_answers(ours: dict, theirs: dict) -> tuple[int, int]:
    """How many of the texts that both answered have the same answer, and how many those are."""
    both = ours.keys() & theirs.keys()
    return sum(ours[body] == theirs[body] for body in both), len(both)


def run(port: int, bodies: str, replies: Replies, build: str, scratch: str, *load) -> list[Record]:
    """Bound to the last core."""
    path, core = f"{scratch}/replies.tsv", servers.core_of_load()
    done = subprocess.run(
        [f"{build}/bench_http_load", str(port), bodies, path, *map(str, load)],
        capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {core}),
        check=False)
    if done.returncode != 0:
        raise RuntimeError(f"bench_http_load ended with {done.returncode}: {done.stderr}")
    with open(path, encoding="utf-8") as file:
        replies.add(file)
    return parse_records(done.stdout.splitlines())


def after(records, skipped_s: float) -> list[Record]:
    return [record for record in records if record.due_ms >= skipped_s * 1e3]


def latency(values) -> dict:
    if not values:
        return {"p50_ms": None, "p99_ms": None}
    return {"p50_ms": round(statistics.median(values), 3),
            "p99_ms": round(measure.percentile(values, 0.99), 3)}


def admitted(records) -> list[float]:
    return [record.latency_ms for record in records if record.status == 200]


def rate(records, begin_s: float, end_s: float) -> float:
    """Answers a second, of those that came in this time."""
    count = sum(begin_s * 1e3 <= record.due_ms + record.latency_ms < end_s * 1e3
                for record in records if record.status == 200)
    return count / (end_s - begin_s)


def closed_summary(rounds, skipped_s: float, seconds: float) -> dict:
    """Of several rounds of a closed load; the first seconds of each warm up."""
    rates = [rate(records, skipped_s, seconds) for records in rounds]
    counted = [record for records in rounds for record in after(records, skipped_s)]
    return {"rps": round(statistics.median(rates), 1), "rps_lowest": round(min(rates), 1),
            "rps_highest": round(max(rates), 1), **latency(admitted(counted)),
            "requests": len(counted),
            "failures": sum(record.status != 200 for record in counted)}


def open_summary(records, skipped_s: float, seconds: float) -> dict:
    loaded = [record for record in records if not record.probe]
    counted = after(loaded, skipped_s)
    return {"offered_rps": round(len(counted) / (seconds - skipped_s), 1),
            "rps": round(rate(loaded, skipped_s, seconds), 1), **latency(admitted(counted)),
            "requests": len(counted),
            "failures": sum(record.status != 200 for record in counted)}


def recovery_s(probes, end_s: float, calm_ms: float) -> float | None:
    """From the end of the load until, of any SPAN requests in a row, most are answered within
    `calm_ms`: one alone that takes longer may be the machine's doing.

    None: not even of the last ones.
    """
    probes = sorted(probes, key=lambda one: one.due_ms)
    calm = [one.status == 200 and one.latency_ms <= calm_ms for one in probes]
    begin = None
    for i, first in enumerate(probes):
        at = max(0, min(i, len(calm) - SPAN))
        span = calm[at:at + SPAN]
        if 2 * sum(span) <= len(span):
            begin = None
        elif begin is None and calm[i]:
            begin = first.due_ms
    return None if begin is None else round(max(0.0, begin / 1e3 - end_s), 3)


def overload_summary(records, seconds: float, unloaded_p99_ms: float) -> dict:
    """Of an open load that is more than the server can do, and the client that asks afterwards."""
    loaded = [record for record in records if not record.probe]
    probes = [record for record in records if record.probe]
    statuses = collections.Counter(record.status for record in loaded)
    turned_away = [record.latency_ms for record in loaded if record.status == 429]
    accepted, refused = latency(admitted(loaded)), latency(turned_away)
    return {"offered_rps": round(len(loaded) / seconds, 1),
            "goodput_rps": round(rate(loaded, 0, seconds), 1),
            "answered_p50_ms": accepted["p50_ms"], "answered_p99_ms": accepted["p99_ms"],
            "refused_p50_ms": refused["p50_ms"], "refused_p99_ms": refused["p99_ms"],
            "statuses": {str(status): count for status, count in sorted(statuses.items())},
            "recovery_s": recovery_s(probes, seconds, CALM * unloaded_p99_ms)}


class Client:
    """One connection. Waits for a reply without sleeping: waking up is no work of the server."""

    def __init__(self, port: int):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask_ms(self, body: bytes) -> float:
        request = (b"POST /ask HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                   b"Content-Length: %d\r\n\r\n" % len(body)) + body
        begin = time.perf_counter()
        self.socket.setblocking(True)
        self.socket.sendall(request)
        self.socket.setblocking(False)
        received = b""
        while not complete(received):
            with contextlib.suppress(BlockingIOError):
                received += self.socket.recv(1 << 16) or broken()
        spent = time.perf_counter() - begin
        if not received.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"the server replied {received[:200]!r}")
        return spent * 1e3

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def broken():
    raise RuntimeError("the server closed the connection")


def complete(received: bytes) -> bool:
    head, end, body = received.partition(b"\r\n\r\n")
    if not end:
        return False
    return len(body) >= int(head.lower().partition(b"content-length:")[2].split()[0])


def overhead_summary(pairs) -> dict:
    """Of (engine ms, HTTP ms) for the same text, one straight after the other."""
    return {"pairs": len(pairs),
            "engine_p50_ms": round(statistics.median(engine for engine, _ in pairs), 4),
            "http_p50_ms": round(statistics.median(http for _, http in pairs), 4),
            "difference_p50_ms": round(statistics.median(http - engine for engine, http in pairs),
                                       4)}


def highest_rate(rows, bound_ms: float) -> float | None:
    """The highest offered rate whose p99 is within the bound, and that of every lower rate too."""
    best = None
    for row in sorted(rows, key=lambda one: one["offered_rps"]):
        if row["failures"] or row["p99_ms"] is None or row["p99_ms"] > bound_ms:
            break
        best = row["rps"]
    return best
