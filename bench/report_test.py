"""python3 -m unittest discover -s bench -p '*_test.py'"""
import unittest

import report


def row(engine, p50, threads=1, tokens=32, precision="int8", model="m", setting="s"):
    return {"model": model, "precision": precision, "engine": engine, "setting": setting,
            "threads": threads, "tokens": tokens, "p50_ms": p50, "p95_ms": 2 * p50, "samples": 3}


MACHINE = {"cpu": "CPU", "cores": 2, "isa": ["avx2"], "versions": {"lambert": "1"},
           "peak_before": {"avx2_int8_gops_one": 100, "avx2_int8_gops_all": 180,
                           "avx2_gflops_one": 50, "avx2_gflops_all": 90},
           "peak_after": {"avx2_int8_gops_one": 80, "avx2_int8_gops_all": 200,
                          "avx2_gflops_one": 40, "avx2_gflops_all": 80}}


def result(**sections):
    return {"machine": MACHINE, "quick": True, "rows": [], "gflop": {"m": {"32": 0.5, "128": 2.0}},
            "logit_differences": {}, **sections}


class Report(unittest.TestCase):
    def cells(self, table):
        lines = [[field.strip() for field in line.strip("|").split("|")]
                 for line in table.splitlines()]
        return [dict(zip(lines[0], line)) for line in lines[2:]]

    def test_a_cell_is_the_best_setting(self):
        rows = [row("openvino", 3.0, setting="a"), row("openvino", 2.0, setting="b")]
        self.assertEqual(report.cell(rows, "openvino", 1, 32)["setting"], "b")
        self.assertIsNone(report.cell(rows, "lambert", 1, 32))

    def test_summary_compares_with_the_best_peer_of_each_place(self):
        rows = [row("lambert", 1.0), row("openvino", 2.0), row("onnxruntime", 4.0),
                row("lambert", 1.0, tokens=128), row("openvino", 9.0, tokens=128),
                row("onnxruntime", 8.0, tokens=128)]
        [line] = self.cells(report.summary_table(result(rows=rows)))
        self.assertEqual(line["32 tokens, 1 thread"], "2.00x")
        self.assertEqual(line["128 tokens, 1 thread"], "8.00x")
        self.assertEqual(line["geometric mean"], "4.00x")

    def test_slower_than_a_peer_is_said(self):
        rows = [row("lambert", 4.0), row("openvino", 2.0)]
        [line] = self.cells(report.summary_table(result(rows=rows)))
        self.assertEqual(line["geometric mean"], "0.50x")

    def test_precisions_are_not_mixed(self):
        rows = [row("lambert", 1.0), row("openvino", 2.0), row("lambert", 10.0, precision="fp32"),
                row("openvino", 11.0, precision="fp32")]
        lines = self.cells(report.summary_table(result(rows=rows)))
        self.assertEqual([line["geometric mean"] for line in lines], ["2.00x", "1.10x"])

    def test_share_of_the_limit_takes_the_best_peak_of_the_run(self):
        ours = row("lambert", 10.0)  # 0.5 GOP in 10 ms: 50 GOPS
        self.assertAlmostEqual(report.share_of_limit(result(rows=[ours]), ours), 0.5)
        both = row("lambert", 10.0, threads=2, tokens=128)  # 200 GOPS of 200
        self.assertAlmostEqual(report.share_of_limit(result(rows=[both]), both), 1.0)

    def test_kernels_are_judged_by_their_own_instruction(self):
        rows = [{"isa": "avx2", "precision": precision, "shape": "x", "tokens": 32, "gops": 45.0}
                for precision in ("int8", "fp32")]
        shares = [line["of the instruction's peak"]
                  for line in self.cells(report.kernel_table(result(kernels=rows)))]
        self.assertEqual(shares, ["45%", "90%"])

    def test_cold_stands_beside_warm(self):
        cold = [{"model": "m", "engine": "lambert", "setting": "x", "threads": 1,
                 "first_ms": 9.5, "exit_ms": 10.5}]
        rows = [row("lambert", 5.25, tokens=128)]
        [line] = self.cells(report.cold_table(result(rows=rows, cold=cold)))
        self.assertEqual(line["the same answer, warm, ms"], "5.25")
        [line] = self.cells(report.cold_table(result(cold=cold)))
        self.assertEqual(line["the same answer, warm, ms"], "-")

    def test_sections_that_were_not_measured_are_left_out(self):
        text = report.markdown(result(rows=[row("lambert", 1.0), row("openvino", 2.0)]))
        self.assertIn("## One question, m, int8", text)
        for absent in ("Batch", "Load", "From exec", "callgrind", "kept to AVX2"):
            self.assertNotIn(absent, text)
        self.assertNotIn("## One question", report.markdown(result()))


if __name__ == "__main__":
    unittest.main()
