"""Lambert as a Lambda function, on this machine: AWS's runtime interface emulator invokes it, and it
takes its model from a real S3 server that checks signatures (versitygw).

    python3 tools/lambda_local.py         the service of 2020: a .tar.gz in S3, asked the README's question
    python3 tools/lambda_local.py --all   every kind of archive and package, each asked the same

`make lambda-local` runs the first after tools/lambda_tools. Fails where an answer is not 83.1.
"""
import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import checkpoint_formats as formats

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".lambda-tools"
LAMBERT = ROOT / "build" / "lambert"
MODEL = ROOT / "models" / "distilbert-minilm-squad"
SMALL_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt")
QUESTION = "What is BERTs best score on Squadv2 ?"
EXPECTED = "83.1"
KEYS = {"AWS_ACCESS_KEY_ID": "local-access", "AWS_SECRET_ACCESS_KEY": "canary-secret-3f9c",
        "AWS_REGION": "us-east-1"}
WARM_REQUESTS = 20


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port, process, name, log):
    for _ in range(1000):
        if process.poll() is not None:
            sys.exit(f"lambda-local: {name} ended with {process.returncode}:\n{log.read_text()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    sys.exit(f"lambda-local: {name} does not listen on port {port}:\n{log.read_text()}")


@contextlib.contextmanager
def running(command, port, name, log, **options):
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT,
                                   start_new_session=True, **options)
        try:
            wait_for(port, process, name, log)
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def s3_server(directory):
    """Yields the endpoint."""
    port = free_port()
    for name in ("data", "sidecar"):
        (directory / name).mkdir()
    environment = dict(os.environ, ROOT_ACCESS_KEY=KEYS["AWS_ACCESS_KEY_ID"],
                       ROOT_SECRET_KEY=KEYS["AWS_SECRET_ACCESS_KEY"])
    command = [TOOLS / "versitygw", "--port", f"127.0.0.1:{port}", "--region", KEYS["AWS_REGION"],
               "posix", "--sidecar", directory / "sidecar", directory / "data"]
    with running(command, port, "the S3 server", directory / "s3.log", env=environment):
        yield f"http://127.0.0.1:{port}"


class Function:
    """A function under AWS's emulator."""

    def __init__(self, url, log, process):
        self.url, self.log, self.process = url, log, process  # process: the emulator's

    def invoke(self, event):
        """(result, milliseconds)"""
        data = json.dumps(event).encode()
        begin = time.perf_counter()
        with urllib.request.urlopen(urllib.request.Request(self.url, data), timeout=120) as reply:
            result = json.loads(reply.read())
        return result, (time.perf_counter() - begin) * 1000


@contextlib.contextmanager
def emulator(package, log, environment):
    port, api = free_port(), free_port()
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("AWS_", "LAMBERT_"))}
    clean.update(environment, LAMBDA_TASK_ROOT=str(package), AWS_LAMBDA_FUNCTION_TIMEOUT="60")
    command = [TOOLS / "aws-lambda-rie", "--runtime-interface-emulator-address",
               f"127.0.0.1:{port}", "--runtime-api-address", f"127.0.0.1:{api}", "./bootstrap"]
    with running(command, port, "the emulator", log, env=clean, cwd=package) as process:
        url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        yield Function(url, log, process)


def rest_event(question, context):
    """As the gateway of 2020 sent it; the first service read nothing but the body."""
    return {"resource": "/ask", "path": "/ask", "httpMethod": "POST", "headers": None,
            "requestContext": {"stage": "dev"},
            "body": json.dumps({"question": question, "context": context})}


def ask(function, context):
    """Asks once cold, then warm; returns (cold ms, warm ms list). Exits on a wrong answer."""
    times = []
    for _ in range(1 + WARM_REQUESTS):
        result, milliseconds = function.invoke(rest_event(QUESTION, context))
        body = json.loads(result["body"]) if "body" in result else result
        if body.get("answer") != EXPECTED:
            sys.exit(f"lambda-local: answered {result}, expected {EXPECTED}\n"
                     f"{function.log.read_text()}")
        times.append(milliseconds)
    return times[0], times[1:]


def lambert(*arguments, environment=None):
    subprocess.run([LAMBERT, *arguments], check=True,
                   env=dict(os.environ, **(environment or {})))


def make_package(directory, with_config, with_model=False):
    """A directory as Lambda unpacks the function's zip."""
    directory.mkdir()
    shutil.copy2(LAMBERT, directory / "bootstrap")
    if with_config or with_model:
        (directory / "model").mkdir()
        for name in SMALL_FILES + (("model.safetensors",) if with_model else ()):
            shutil.copy2(MODEL / name, directory / "model" / name)
    return directory


def make_archive(directory, path, kind, inside, shards=1, single=True):
    """A .tar.gz of the default model, its weights in the format `kind`."""
    directory.mkdir()
    tensors = list(formats.read_safetensors(MODEL / "model.safetensors"))
    if single:
        tensors = list(formats.single_precision(tensors))
    stem, ending = ("model", "safetensors") if kind == "safetensors" else ("pytorch_model", "bin")
    names = [f"{stem}.{ending}"] if shards == 1 else [
        f"{stem}-{i + 1:05}-of-{shards:05}.{ending}" for i in range(shards)]
    index = {}
    for i, name in enumerate(names):
        part = tensors[i::shards]
        formats.WRITERS[kind](part, directory / name)
        index.update({tensor[0]: name for tensor in part})
    if shards > 1:
        (directory / f"{stem}.{ending}.index.json").write_text(
            json.dumps({"metadata": {}, "weight_map": index}))
    for name in SMALL_FILES if inside else ():
        shutil.copy2(MODEL / name, directory / name)
    lambert("archive", directory, "-o", path)


def run_case(work, name, endpoint, archive=None, context=None, with_config=True):
    package = make_package(work / f"package-{name}", with_config, with_model=archive is None)
    environment = {}
    if archive is not None:
        uri = f"s3://models/{name}/squad-distilbert.tar.gz"
        credentials = dict(KEYS, AWS_ENDPOINT_URL_S3=endpoint)
        lambert("push", archive, uri, "--create-bucket", environment=credentials)
        environment = dict(credentials, LAMBERT_MODEL=uri)
    with emulator(package, work / f"{name}.log", environment) as function:
        cold, warm = ask(function, context)
    if KEYS["AWS_SECRET_ACCESS_KEY"] in (work / f"{name}.log").read_text():
        sys.exit("lambda-local: the log of the function has its secret key")
    print(f"ok: {name}: {EXPECTED}, cold {cold:.0f} ms, warm {statistics.median(warm):.1f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--all", action="store_true", help="every kind of archive and package")
    options = parser.parse_args()
    context = (ROOT / "examples" / "bert-abstract.txt").read_text()
    with tempfile.TemporaryDirectory() as name:
        work = pathlib.Path(name)
        cases = {"legacy": dict(kind="legacy", inside=False)}
        if options.all:
            cases |= {"zip": dict(kind="zip", inside=False),
                      "safetensors": dict(kind="safetensors", inside=True),
                      "fp16": dict(kind="legacy", inside=True, single=False),
                      "sharded": dict(kind="zip", inside=True, shards=2),
                      "sharded-safetensors": dict(kind="safetensors", inside=False, shards=3)}
        with s3_server(work) as endpoint:
            for case, settings in cases.items():
                archive = work / f"{case}.tar.gz"
                make_archive(work / case, archive, **settings)
                run_case(work, case, endpoint, archive, context,
                         with_config=not settings["inside"])
            run_case(work, "model-in-the-package", endpoint, context=context)


if __name__ == "__main__":
    main()
