"""Lambert and the Python service that it replaces, both as Lambda functions under AWS's runtime interface
emulator, models from a local S3 server: `make bench-lambda`, bench/README.md says how to read it.

    python bench/lambda_run.py [--quick]     writes bench/results/lambda.json and lambda.md
"""
import argparse
import contextlib
import importlib.metadata
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import boto3
import botocore.config
import numpy

import machine

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import checkpoint_formats as formats  # noqa: E402
import lambda_local as local  # noqa: E402

RESULTS = ROOT / "bench" / "results"
MIB = 1 << 20
BASE = {"model_type": "distilbert", "architectures": ["DistilBertForQuestionAnswering"],
        "activation": "gelu", "dim": 768, "hidden_dim": 3072, "n_heads": 12, "n_layers": 6,
        "max_position_embeddings": 512, "sinusoidal_pos_embds": False, "tie_weights_": True,
        "pad_token_id": 0, "vocab_size": 30522}


def base_tensors():
    """DistilBERT-base with random weights: 66 million numbers in fp32, 265 MB."""
    random = numpy.random.default_rng(1)
    dim, hidden = BASE["dim"], BASE["hidden_dim"]
    shapes = {"distilbert.embeddings.word_embeddings.weight": (BASE["vocab_size"], dim),
              "distilbert.embeddings.position_embeddings.weight": (512, dim)}
    norms = ["distilbert.embeddings.LayerNorm"]
    for i in range(BASE["n_layers"]):
        layer = f"distilbert.transformer.layer.{i}"
        sizes = {f"attention.{name}_lin": (dim, dim) for name in ("q", "k", "v", "out")}
        sizes |= {"ffn.lin1": (hidden, dim), "ffn.lin2": (dim, hidden)}
        for name, shape in sizes.items():
            shapes |= {f"{layer}.{name}.weight": shape, f"{layer}.{name}.bias": shape[:1]}
        norms += [f"{layer}.sa_layer_norm", f"{layer}.output_layer_norm"]
    shapes |= {f"{norm}.{part}": (dim,) for norm in norms for part in ("weight", "bias")}
    shapes |= {"qa_outputs.weight": (2, dim), "qa_outputs.bias": (2,)}
    for name, shape in shapes.items():
        numbers = random.standard_normal(shape, dtype=numpy.float32) * numpy.float32(0.02)
        yield name, "F32", list(shape), numbers.tobytes()


class Model:
    """Its archive in S3, as the notebook of 2020 made it, and its small files beside the function."""

    def __init__(self, name, work, tensors, config, endpoint):
        self.name, self.small = name, work / f"{name}-small"
        self.small.mkdir()
        for file in local.SMALL_FILES:
            shutil.copy2(local.MODEL / file, self.small / file)
        if config:
            (self.small / "config.json").write_text(json.dumps(config))
        weights = work / f"{name}-weights"
        weights.mkdir()
        tensors = list(tensors)
        self.weights_bytes = sum(len(data) for *_, data in tensors)
        formats.write_legacy(tensors, weights / "pytorch_model.bin")
        archive = work / f"{name}.tar.gz"
        local.lambert("archive", weights, "-o", archive)
        self.archive_bytes = archive.stat().st_size
        self.key = f"{name}/squad-distilbert.tar.gz"
        self.credentials = dict(local.KEYS, AWS_ENDPOINT_URL_S3=endpoint, AWS_ENDPOINT_URL=endpoint)
        local.lambert("push", archive, f"s3://models/{self.key}", "--create-bucket",
                      environment=self.credentials)
        # curl 7.88 does not sign what S3 servers accept.
        client = boto3.client(
            "s3", endpoint_url=endpoint, region_name=local.KEYS["AWS_REGION"],
            aws_access_key_id=local.KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=local.KEYS["AWS_SECRET_ACCESS_KEY"],
            config=botocore.config.Config(signature_version="s3v4",
                                          s3={"addressing_style": "path"}))
        self.url = client.generate_presigned_url(
            "get_object", Params={"Bucket": "models", "Key": self.key}, ExpiresIn=86400)
        shutil.rmtree(weights)
        archive.unlink()

    def curl_gunzip_ms(self):
        """What fetching and unpacking takes that does nothing else."""
        command = f"curl -sf '{self.url}' | gunzip > /dev/null"
        begin = time.perf_counter()
        subprocess.run(["bash", "-o", "pipefail", "-c", command], check=True)
        return (time.perf_counter() - begin) * 1000


class Engine:
    def __init__(self, name, work):
        self.name, self.work = name, work

    def package(self, model, from_s3):
        directory = self.work / f"{self.name}-{model.name}-{'s3' if from_s3 else 'package'}"
        if directory.exists():
            return directory
        directory.mkdir()
        shutil.copytree(model.small, directory / "model")
        if not from_s3:
            shutil.copy2(local.MODEL / "model.safetensors", directory / "model")
        if self.name == "lambert":
            shutil.copy2(local.LAMBERT, directory / "bootstrap")
        else:
            shutil.copy2(ROOT / "bench" / "lambda_original.py", directory)
            (directory / "bootstrap").write_text(
                f"#!/bin/sh\nexec {sys.executable} -m awslambdaric lambda_original.handle\n")
            (directory / "bootstrap").chmod(0o755)
        return directory

    @contextlib.contextmanager
    def started(self, model, from_s3):
        environment = dict(model.credentials) if from_s3 else {}
        if from_s3:
            environment |= {"LAMBERT_MODEL": f"s3://models/{model.key}", "MODEL_BUCKET": "models",
                            "MODEL_KEY": model.key}
        environment["LAMBERT_COMPAT"] = "2020"
        with local.emulator(self.package(model, from_s3), self.work / f"{self.name}.log",
                            environment) as function:
            yield function


def invoke(function, texts):
    result, milliseconds = function.invoke(local.rest_event(*texts))
    if result.get("statusCode") != 200:
        sys.exit(f"bench-lambda: {result}\n{function.log.read_text()}")
    return json.loads(result["body"])["answer"], milliseconds


def peak_bytes(function):
    """Of the function's process, while it lives."""
    children = pathlib.Path(f"/proc/{function.process.pid}/task/{function.process.pid}/children")
    child, = {pid for task in children.parent.parent.iterdir()
              for pid in (task / "children").read_text().split()}
    status = pathlib.Path(f"/proc/{child}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def cold(engines, model, from_s3, rounds, texts):
    """engine -> (median ms from the request to its reply, peak bytes); engines take turns."""
    times, peaks = {e.name: [] for e in engines}, {}
    if from_s3:
        times["curl, gunzip"] = []
    for _ in range(rounds):
        if from_s3:
            times["curl, gunzip"].append(model.curl_gunzip_ms())
        for engine in engines:
            with engine.started(model, from_s3) as function:
                times[engine.name].append(invoke(function, texts)[1])
                peaks[engine.name] = max(peaks.get(engine.name, 0), peak_bytes(function))
    rows = []
    for name, values in times.items():
        rows.append({"model": model.name, "from": "s3" if from_s3 else "package", "engine": name,
                     "cold_ms": statistics.median(values), "samples": len(values),
                     "peak_mib": round(peaks[name] / MIB, 1) if name in peaks else None})
        print(f"{model.name}, from {rows[-1]['from']}: {name} {rows[-1]['cold_ms']:.0f} ms",
              file=sys.stderr)
    return rows


def warm(engines, model, rounds, texts):
    times, answers, peaks = {e.name: [] for e in engines}, {}, {}
    with contextlib.ExitStack() as stack:
        functions = {e.name: stack.enter_context(e.started(model, False)) for e in engines}
        for name, function in functions.items():
            answers[name] = invoke(function, texts)[0]
        if len(set(answers.values())) != 1:
            sys.exit(f"bench-lambda: the answers differ: {answers}")
        for _ in range(rounds):
            for name, function in functions.items():
                invoke(function, texts)
                times[name] += [invoke(function, texts)[1] for _ in range(20)]
        for name, function in functions.items():
            peaks[name] = peak_bytes(function)
    return [{"engine": name, "p50_ms": statistics.median(values),
             "p99_ms": statistics.quantiles(values, n=100, method="inclusive")[98],
             "samples": len(values), "peak_mib": round(peaks[name] / MIB, 1)}
            for name, values in times.items()]


def ratio(a, b):
    return f"{a / b:.2f}x"


def table(header, lines):
    rule = ["---"] * 3 + ["---:"] * (len(header) - 3)
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in [header, rule, *lines])


def render(result):
    lines = []
    for row in result["cold"]:
        place = [r for r in result["cold"] if (r["model"], r["from"]) == (row["model"], row["from"])]
        ours = next(r["cold_ms"] for r in place if r["engine"] == "lambert")
        lines.append([row["model"], row["from"], row["engine"], f"{row['cold_ms']:.0f}",
                      ratio(row["cold_ms"], ours), row["peak_mib"] or "-"])
    cold_table = table(["model", "from", "engine", "cold ms", "by Lambert's", "peak MiB"], lines)
    lines = []
    for place, rows in result["warm"].items():
        ours = next(r for r in rows if r["engine"] == "lambert")
        lines += [[place, result["models"][0]["name"], r["engine"],
                   f"{r['p50_ms']:.1f} / {r['p99_ms']:.1f}",
                   f"{ratio(r['p50_ms'], ours['p50_ms'])} / {ratio(r['p99_ms'], ours['p99_ms'])}",
                   r["peak_mib"]] for r in rows]
    warm_table = table(["request", "model", "engine", "p50 / p99 ms", "by Lambert's", "peak MiB"],
                       lines)
    models = "\n".join(
        f"- {m['name']}: {m['weights_mb']:.0f} MB of fp32 weights, archive {m['archive_mb']:.0f} MB"
        for m in result["models"])
    facts = result["machine"]
    return f"""# Benchmark: Lambda function, Lambert beside the Python service

Made by `make bench-lambda`; bench/README.md says how to read it.

{facts['cpu']}, {facts['cores']} cores, {', '.join(facts['isa'])}. {facts['versions']}.

{models}

## Cold: from the request that starts the function to its reply

{cold_table}

## Warm

{warm_table}
"""


def versions():
    lambert = subprocess.run([local.LAMBERT, "version"], capture_output=True, text=True, check=True)
    torch, transformers = map(importlib.metadata.version, ("torch", "transformers"))
    return (f"{lambert.stdout.splitlines()[0]}; torch {torch}, transformers {transformers}, "
            f"python {platform.python_version()}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer rounds, for a look")
    quick = parser.parse_args().quick or bool(os.environ.get("BENCH_QUICK"))
    rounds, blocks = (1, 1) if quick else (5, 15)
    context = (ROOT / "examples" / "bert-abstract.txt").read_text()
    requests = {"258 tokens": (local.QUESTION, context),
                "32 tokens": ("Why was Lambert written in C++?",
                              "Lambert was written in C++ so that it starts in a blink of an eye.")}
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        with local.s3_server(work) as endpoint:
            small = formats.single_precision(
                formats.read_safetensors(local.MODEL / "model.safetensors"))
            models = [Model("distilbert-minilm-squad", work, small, None, endpoint),
                      Model("distilbert-base-random", work, base_tensors(), BASE, endpoint)]
            engines = [Engine("lambert", work), Engine("python", work)]
            texts = requests["258 tokens"]
            rows = cold(engines, models[0], False, rounds, texts)
            for model in models:
                rows += cold(engines, model, True, rounds, texts)
            result = {
                "machine": {**machine.cpu_facts(), "cores": len(os.sched_getaffinity(0)),
                            "versions": versions()},
                "models": [{"name": m.name, "weights_mb": m.weights_bytes / 1e6,
                            "archive_mb": m.archive_bytes / 1e6} for m in models],
                "cold": rows,
                "warm": {place: warm(engines, models[0], blocks, texts)
                         for place, texts in requests.items()}}
    text = render(result)
    print(text)
    if not quick:
        (RESULTS / "lambda.json").write_text(json.dumps(result, indent=1) + "\n")
        (RESULTS / "lambda.md").write_text(text)


if __name__ == "__main__":
    main()
