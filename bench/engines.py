"""The engines as processes of their own that are asked one line and answer one."""
import os
import subprocess
import time

# name -> (engine, setting) as they stand in the results
FORWARD = {
    "lambert": ("lambert", "text to logits"),
    "ort-fused": ("onnxruntime", "fused by onnxruntime.transformers, ORT_ENABLE_ALL"),
    "ort-plain": ("onnxruntime", "as exported, ORT_ENABLE_ALL"),
    "openvino-fp32": ("openvino", "latency, f32"),
    "pytorch": ("pytorch", "inference_mode, sdpa"),
}
INT8 = {
    "lambert-int8": ("lambert", "text to logits"),
    "ort-fused-int8": ("onnxruntime", "fused, quantize_dynamic per channel"),
    "ort-mha-int8": ("onnxruntime", "fused to MultiHeadAttention, quantize_dynamic per channel"),
    "openvino-int8": ("openvino", "NNCF post-training, latency, f32"),
    "openvino-int8-bf16": ("openvino", "NNCF post-training, latency, bf16 hint"),
}
PRECISIONS = {"fp32": FORWARD, "int8": INT8}
ANSWER = {
    "lambert": ("lambert", "ask"),
    "pipeline": ("transformers", "question-answering pipeline on PyTorch"),
}


class Worker:
    """A process bound to the first `threads` cores, with every thread pool of that size."""

    def __init__(self, name: str, threads: int, paths):
        self.name = name
        if name.startswith("lambert"):
            command = [f"{paths.build}/bench_lambert", paths.model, str(threads),
                       "int8" if name.endswith("-int8") else "fp32"]
        else:
            command = [paths.python, "bench/peer.py", name, paths.model, paths.onnx, str(threads)]
        cores = sorted(os.sched_getaffinity(0))[:threads]
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads),
                           RAYON_NUM_THREADS=str(threads), TOKENIZERS_PARALLELISM="true")
        self.started = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
            preexec_fn=lambda: os.sched_setaffinity(0, cores))
        ready = self._read().split()
        if ready[:1] != ["READY"]:
            raise RuntimeError(f"{name}: not ready: {ready}")
        self.load_ms = float(ready[1])
        self.isa = ready[2]

    def _read(self) -> str:
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name}: ended with {self.process.wait()}")
        return line

    def ask(self, *fields) -> list[float]:
        print(*fields, sep="\t", file=self.process.stdin, flush=True)
        return [float(value) for value in self._read().split()]

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
