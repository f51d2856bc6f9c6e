"""`lambert serve` as a process of a check, and what a check asks it."""
import atexit
import json
import os
import pathlib
import resource
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
LAMBERT = ROOT / "build" / "lambert"
MODEL = ROOT / "models" / "distilbert-minilm-squad"
BODY = json.dumps({"question": "Who wrote it?",
                   "context": "Ada Lovelace wrote the first program in 1843."}).encode()
EXPECTED = "Ada Lovelace"


def pack(folder):
    """The default model as one int8 file in `folder`."""
    model = os.path.join(folder, "model.lambert")
    subprocess.run([LAMBERT, "pack", MODEL, "-o", model, "--precision", "int8"], check=True,
                   stdout=subprocess.DEVNULL)
    return model


def more_descriptors():
    """As many open files for this process as it may have; it returns how many."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


class Server:
    """`lambert serve` at a free port. Its log goes to `log`, a file; else it is dropped."""

    def __init__(self, model, *arguments, wait=True, descriptors=None, log=subprocess.DEVNULL,
                 before_exec=None, environment=()):
        def prepare():
            if descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
            if before_exec:
                before_exec()

        variables = {k: v for k, v in os.environ.items() if not k.startswith("LAMBERT_")}
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [LAMBERT, "serve", "--port", "0", "--model", model, *arguments], text=True,
            stdout=subprocess.PIPE, stderr=log, env={**variables, **dict(environment)},
            preexec_fn=prepare if descriptors or before_exec else None)
        atexit.register(self.process.kill)  # where a check fails, too
        self.port = None
        if wait and not self.wait_ready():
            raise SystemExit(f"lambert serve ended at its start: exit code {self.process.wait()}")

    def wait_ready(self):
        """Whether it comes to answer; after False it has ended."""
        line = self.process.stdout.readline()
        self.port = int(line.rsplit(":", 1)[1]) if line else None
        return self.port is not None

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(60)

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def status(self, name):
        """A number of /proc/PID/status."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise KeyError(name)


def ask(connection, path="/ask", body=BODY):
    connection.request("POST", path, body)
    response = connection.getresponse()
    return response, response.read()
