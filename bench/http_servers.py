"""The servers of `make bench-http` as processes bound to cores of their own."""
import contextlib
import dataclasses
import glob
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

START_S = 120  # for a server to be ready
LAMBERT, AXUM = "lambert", "axum-ort"
FASTAPI_ORT, FASTAPI_PIPELINE = "fastapi-ort", "fastapi-pipeline"


@dataclasses.dataclass(frozen=True)
class Setting:
    """How a server is started.

    For Lambert `concurrency` is its option, None for the default, and workers means nothing.
    `batch` is how many waiting requests a worker of axum-ort takes at once, `requests` how many a
    process of fastapi-ort computes at once.
    """
    engine: str
    precision: str
    cores: int
    workers: int = 1
    threads: int = 1
    batch: int = 1
    requests: int = 1
    concurrency: int | None = None

    @property
    def text(self) -> str:
        if self.engine == LAMBERT:
            return ("default" if self.concurrency is None
                    else f"--concurrency {self.concurrency}")
        more = f", batches of up to {self.batch}" if self.batch > 1 else ""
        more += f", {self.requests} requests at once" if self.requests > 1 else ""
        return f"{self.workers} x {self.threads} thread{'s' * (self.threads > 1)}{more}"

    @property
    def key(self) -> tuple:
        return self.engine, self.precision, self.cores, self.text


def settings(cores: int, batching_can_be_off: bool) -> list[Setting]:
    """All that are measured with so many cores; of the peers the best at each place counts."""
    found = [Setting(LAMBERT, "int8", cores), Setting(LAMBERT, "fp32", cores)]
    if batching_can_be_off:
        found.append(Setting(LAMBERT, "int8", cores, concurrency=1))
    shapes = dict.fromkeys([(1, cores), (cores, 1)])  # workers, threads
    for workers, threads in shapes:
        found += [Setting(AXUM, "int8", cores, workers, threads, batch=batch) for batch in (1, 8)]
        found.append(Setting(FASTAPI_ORT, "int8", cores, workers, threads))
        found.append(Setting(FASTAPI_PIPELINE, "fp32", cores, workers, threads))
    if cores > 1:
        found.append(Setting(FASTAPI_ORT, "int8", cores, 1, 1, requests=cores))
    return found


@dataclasses.dataclass
class Places:
    """Where programs and models are."""
    build: str
    python: str
    model: str  # the folder of the checkpoint and its tokenizer
    packed: str  # a folder with fp32.lambert and int8.lambert
    onnx: str  # the int8 model of ONNX Runtime
    axum: str = ""  # the program; without one the server is left out

    @property
    def tokenizer(self) -> str:
        return f"{self.model}/tokenizer.json"


def onnxruntime_library() -> str:
    import onnxruntime
    return glob.glob(f"{os.path.dirname(onnxruntime.__file__)}/capi/libonnxruntime.so.*")[0]


def command_of(setting: Setting, places: Places, port: int) -> list[str]:
    if setting.engine == LAMBERT:
        command = [f"{places.build}/lambert", "serve", "--model",
                   f"{places.packed}/{setting.precision}.lambert", "--threads",
                   str(setting.cores), "--port", str(port)]
        if setting.concurrency is not None:
            command += ["--concurrency", str(setting.concurrency)]
        return command
    if setting.engine == AXUM:
        return [places.axum, onnxruntime_library(), places.onnx, places.tokenizer, str(port),
                str(setting.workers), str(setting.threads), str(setting.batch)]
    return [places.python, "-m", "uvicorn", "--app-dir", "bench/http", "--port", str(port),
            "--workers", str(setting.workers), "--no-access-log", "--log-level", "warning",
            "--loop", "uvloop", "--http", "httptools", f"{setting.engine.replace('-', '_')}:app"]


def environment_of(setting: Setting, places: Places) -> dict:
    threads = str(setting.threads)
    onnx = setting.engine == FASTAPI_ORT
    return dict(os.environ, OMP_NUM_THREADS=threads, MKL_NUM_THREADS=threads,
                RAYON_NUM_THREADS="1", TOKENIZERS_PARALLELISM="false", PEER_THREADS=threads,
                PEER_REQUESTS=str(setting.requests), PEER_TOKENIZER=places.tokenizer,
                PEER_MODEL=places.onnx if onnx else places.model)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def cores_of_server(count: int) -> list[int]:
    return sorted(os.sched_getaffinity(0))[:count]


def core_of_load() -> int:
    """The last one, which a server has too if it has all."""
    return max(os.sched_getaffinity(0))


class Server:
    """Starts it bound to the first cores; what it logs is thrown away."""

    def __init__(self, setting: Setting, places: Places):
        self.setting, self.port = setting, free_port()
        cores = cores_of_server(setting.cores)
        self.process = subprocess.Popen(
            command_of(setting, places, self.port), env=environment_of(setting, places),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            preexec_fn=lambda: os.sched_setaffinity(0, cores), start_new_session=True)

    def wait_until_ready(self) -> None:
        path = "readyz" if self.setting.engine == LAMBERT else "health"
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.setting.key} ended with {self.process.returncode}")
            with contextlib.suppress(urllib.error.URLError, OSError):
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/{path}", timeout=5):
                    return
            time.sleep(0.05)
        raise RuntimeError(f"{self.setting.key} was not ready after {START_S} s")

    def memory_mib(self) -> float:
        """Proportional set size of all its processes."""
        total = 0
        for process in children(self.process.pid):
            with contextlib.suppress(OSError), open(f"/proc/{process}/smaps_rollup",
                                                    encoding="utf-8") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        return round(total / 1024, 1)

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def __enter__(self):
        self.wait_until_ready()
        return self

    def __exit__(self, *_):
        self.close()


def children(pid: int) -> list[int]:
    """A process and all that it started."""
    found = [pid]
    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children",
                                            encoding="utf-8") as file:
        for child in file.read().split():
            found += children(int(child))
    return found


@contextlib.contextmanager
def started(chosen, places: Places):
    """All of them at once, since they take turns; the ones whose turn it is not are idle."""
    servers = []
    try:
        for setting in chosen:
            servers.append(Server(setting, places))
            servers[-1].wait_until_ready()
        yield servers
    finally:
        for server in servers:
            server.close()


def batching_can_be_off(lambert: str) -> bool:
    done = subprocess.run([lambert, "serve", "--help"], capture_output=True, text=True, check=True)
    return "--concurrency" in done.stdout
