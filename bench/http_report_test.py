"""python3 -m unittest discover -s bench -p '*_test.py'"""
import unittest

import http_load as loads
import http_report as report
import http_servers as servers
import http_texts
from http_load import Record


def record(due_ms, latency_ms, status=200, probe=False, body=0):
    return Record(probe, due_ms, latency_ms, status, body)


def row(engine, rps, precision="int8", setting="default", **more):
    return {"engine": engine, "precision": precision, "setting": setting, "cores": 1,
            "texts": "mixed", "clients": 64, "rps": rps, "rps_lowest": rps, "rps_highest": rps,
            "p50_ms": 1.0, "p99_ms": 2.0, "requests": 9, "failures": 0, **more}


def cells(table):
    lines = [[field.strip() for field in line.strip("|").split("|")]
             for line in table.splitlines()]
    return [dict(zip(lines[0], line)) for line in lines[2:]]


class Loads(unittest.TestCase):
    def test_records(self):
        [found] = loads.parse_records(["probe\t12.5\t0.25\t429\t7"])
        self.assertEqual(found, Record(True, 12.5, 0.25, 429, 7))

    def test_closed_load_leaves_out_what_warms_up_and_what_ends_too_late(self):
        records = [record(0, 500), record(400, 900), record(1000, 500), record(2900, 200),
                   record(2000, 10, status=500)]
        found = loads.closed_summary([records], 1, 3)
        self.assertEqual(found["rps"], 1.0)  # two of 200 ended between 1 s and 3 s
        self.assertEqual((found["requests"], found["failures"]), (3, 1))
        self.assertEqual(found["p50_ms"], 350.0)  # of 500 and 200

    def test_closed_load_takes_the_median_of_the_rounds(self):
        rounds = [[record(10 * i, 1) for i in range(count)] for count in (10, 90, 50)]
        found = loads.closed_summary(rounds, 0, 1)
        self.assertEqual((found["rps_lowest"], found["rps"], found["rps_highest"]), (10, 50, 90))

    def test_open_load_knows_offered_from_answered(self):
        records = [record(1000, 10), record(1500, 10, status=429), record(2000, 1500),
                   record(3100, 5, probe=True)]
        found = loads.open_summary(records, 1, 3)
        self.assertEqual((found["offered_rps"], found["rps"]), (1.5, 0.5))
        self.assertEqual(found["failures"], 1)

    def test_overload_counts_each_status_apart(self):
        records = [record(0, 100), record(10, 4, status=429), record(20, 8, status=429),
                   record(30, 300), record(40, 1, status=503), record(50, 10000, status=0),
                   record(1000, 70, probe=True), record(1100, 20, probe=True),
                   record(1200, 20, probe=True), record(1300, 20, probe=True)]
        found = loads.overload_summary(records, 1, 15)
        self.assertEqual(found["statuses"], {"0": 1, "200": 2, "429": 2, "503": 1})
        self.assertEqual(found["goodput_rps"], 2.0)
        self.assertEqual((found["answered_p99_ms"], found["refused_p99_ms"]), (300, 8))
        self.assertEqual(found["recovery_s"], 0.1)  # 70 ms was more than 2 * 15 ms

    def test_goodput_is_what_is_answered_in_time(self):
        found = loads.overload_summary([record(0, 5), record(900, 400)], 1, 15)
        self.assertEqual(found["goodput_rps"], 1.0)

    def test_recovery_begins_after_the_last_slow_or_failed_requests_in_a_row(self):
        calm = [record(1000 + i, 1, probe=True) for i in range(3)]
        self.assertEqual(loads.recovery_s(calm, 1.0, 5), 0.0)
        slow = [record(1000, 1), record(1001, 1, status=429), record(1200, 9), record(1300, 9)]
        self.assertEqual(loads.recovery_s(slow + [record(1500 + i, 2) for i in range(5)], 1.0, 5),
                         0.5)
        alone = [record(1000 + i, 9 if i == 4 else 2) for i in range(9)]
        self.assertEqual(loads.recovery_s(alone, 1.0, 5), 0.0)
        self.assertIsNone(loads.recovery_s([record(1000, 1), record(2000, 9)], 1.0, 5))
        self.assertIsNone(loads.recovery_s([], 1.0, 5))

    def test_overhead_is_the_median_of_the_differences(self):
        found = loads.overhead_summary([(1.0, 1.1), (5.0, 5.3), (9.0, 20.0)])
        self.assertEqual(found, {"pairs": 3, "engine_p50_ms": 5.0, "http_p50_ms": 5.3,
                                 "difference_p50_ms": 0.3})

    def test_a_reply_is_complete_with_its_body(self):
        head = b"HTTP/1.1 200 OK\r\ncontent-Length: 4\r\n"
        for received, whole in ((b"", False), (head, False), (head + b"\r\nabc", False),
                                (head + b"\r\nabcd", True)):
            self.assertEqual(loads.complete(received), whole)

    def test_highest_rate_has_no_slower_rate_below(self):
        rows = [{"offered_rps": rate, "rps": rate - 1, "p99_ms": p99, "failures": failures}
                for rate, p99, failures in ((30, 9, 0), (10, 5, 0), (20, 40, 0), (40, 9, 0))]
        self.assertEqual(loads.highest_rate(rows, 10), 9)
        self.assertEqual(loads.highest_rate(rows, 50), 39)
        self.assertIsNone(loads.highest_rate(rows, 1))
        self.assertIsNone(loads.highest_rate([{**rows[1], "failures": 1}], 10))

    def test_replies(self):
        replies = loads.Replies()
        replies.add(['0\t2\t{"answer": "a"}\n', '0\t1\t{"answer": ""}\n',
                     '3\t1\t{"answer": "\\t"}\n'])
        replies.add(['0\t5\t{"answer": "a"}\n'])
        self.assertEqual(replies.answers(), {0: "a", 3: "\t"})
        self.assertEqual(replies.facts(), {"texts": 2, "replies": 9, "empty": 1,
                                           "most_different_replies_to_a_text": 2})
        self.assertEqual(loads.equal_answers({0: "a", 1: "b"}, {0: "a", 1: "c", 2: "d"}), (1, 2))


class Servers(unittest.TestCase):
    def test_each_setting_has_a_key_of_its_own(self):
        for cores in (1, 2):
            found = [setting.key for setting in servers.settings(cores, True)]
            self.assertEqual(len(found), len(set(found)))

    def test_no_setting_has_more_threads_than_cores(self):
        for setting in servers.settings(2, True):
            self.assertLessEqual(setting.workers * setting.threads * setting.requests, 2)


class Texts(unittest.TestCase):
    def test_the_sentence_that_has_a_character(self):
        text = "One is here. Two?  Three"
        for word in ("One", "Two", "Three"):
            self.assertTrue(http_texts.sentence_at(text, text.index(word)).startswith(word))
        self.assertEqual(http_texts.sentence_at(text, 0), "One is here.")


class Report(unittest.TestCase):
    def test_a_peers_best_setting_at_each_place_counts(self):
        rows = [row("lambert", 100), row("axum-ort", 40, setting="1 x 2 threads"),
                row("axum-ort", 50, setting="2 x 1 thread"), row("fastapi-ort", 20)]
        [line] = cells(report.closed_table({"closed": rows}))
        self.assertEqual(line["axum + ORT int8"], "50 (1.0 / 2.0)")
        self.assertEqual(line["Lambert / best peer, int8"], "2.00x")
        self.assertNotIn("Lambert / best peer, fp32", line)

    def test_of_lambert_the_default_counts(self):
        rows = [row("lambert", 100), row("lambert", 300, setting="--concurrency 1"),
                row("axum-ort", 200)]
        [line] = cells(report.closed_table({"closed": rows}))
        self.assertEqual(line["Lambert / best peer, int8"], "0.50x")

    def test_precisions_are_compared_apart(self):
        rows = [row("lambert", 100), row("lambert", 30, precision="fp32"), row("axum-ort", 50),
                row("fastapi-pipeline", 10, precision="fp32")]
        [line] = cells(report.closed_table({"closed": rows}))
        self.assertEqual(line["Lambert / best peer, int8"], "2.00x")
        self.assertEqual(line["Lambert / best peer, fp32"], "3.00x")

    def test_equal_p99(self):
        rows = [row("lambert", 100, offered_rps=100, p99_ms=9.0),
                row("lambert", 200, offered_rps=200, p99_ms=20.0),
                row("axum-ort", 50, offered_rps=50, p99_ms=9.5),
                row("axum-ort", 60, offered_rps=60, p99_ms=60.0)]
        lines = {line["p99 at most ms"]: line for line in cells(report.rates_table({"rates": rows}))}
        self.assertEqual(lines["10"]["Lambert / best peer, int8"], "2.00x")
        self.assertEqual(lines["25"]["Lambert int8"], "200.0")
        self.assertEqual(lines["25"]["Lambert / best peer, int8"], "4.00x")
        self.assertEqual(lines["100"]["axum + ORT int8"], "60.0")

    def test_a_bound_that_nobody_keeps_is_left_out(self):
        rows = [row("lambert", 100, offered_rps=100, p99_ms=30.0)]
        self.assertEqual([line["p99 at most ms"] for line in
                          cells(report.rates_table({"rates": rows}))],
                         ["50", "100", "250", "500"])

    def test_batching_compares_the_same_place(self):
        rows = [row("lambert", 150, p50_ms=1.5), row("lambert", 100, setting="--concurrency 1"),
                row("lambert", 70, clients=1), row("axum-ort", 9, setting="--concurrency 1")]
        [line] = cells(report.batching_table({"closed": rows}))
        self.assertEqual(line["requests / s, together / one"], "1.50x")
        self.assertEqual(line["p50, together - one, ms"], "0.500")

    def test_overload(self):
        shown = {"engine": "lambert", "precision": "int8", "factor": 5, "capacity_rps": 100.0,
                 "offered_rps": 500.0, "goodput_rps": 95.0, "answered_p99_ms": 700.0,
                 "refused_p99_ms": None, "statuses": {"0": 3, "200": 5, "429": 7},
                 "recovery_s": None}
        [line] = cells(report.overload_table({"overload": [shown]}))
        self.assertEqual((line["of capacity"], line["429s"], line["other statuses"]),
                         ("95%", "7", "0: 3"))
        self.assertEqual((line["p99 of 429s ms"], line["recovery s"]), ("-", "-"))

    def test_sections_that_were_not_measured_are_left_out(self):
        result = {"quick": True, "texts": {}, "onnx": {"chosen": "x"},
                  "machine": {"cpu": "CPU", "cores": 2, "isa": [], "versions": {}},
                  "effort": {"rounds": 1, "seconds": 1, "skipped": 0}, "answers": []}
        text = report.markdown({**result, "closed": [row("lambert", 1)]})
        self.assertIn("## Requests a second", text)
        for absent in ("equal p99", "HTTP adds", "together", "More than", "Memory"):
            self.assertNotIn(absent, text)


if __name__ == "__main__":
    unittest.main()
