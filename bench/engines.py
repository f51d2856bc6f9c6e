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
CAPPED = {  # each told to use AVX2 and no more
    "lambert-int8-avx2": ("lambert", "LAMBERT_ISA=avx2"),
    "openvino-int8-avx2": ("openvino", "ONEDNN_MAX_CPU_ISA=AVX2"),
}
MIXED = {
    "lambert-int8": ("lambert", "ask, text to answer"),
    "ort-fused-int8": INT8["ort-fused-int8"],
    "ort-mha-int8": INT8["ort-mha-int8"],
    "openvino-int8": INT8["openvino-int8"],
    "openvino-int8-bf16": INT8["openvino-int8-bf16"],
}
BATCH = {
    "fp32": {
        "lambert": ("lambert", "all submitted at once, with spans"),
        "ort-fused": FORWARD["ort-fused"],
        "ort-plain": FORWARD["ort-plain"],
    },
    "int8": {
        "lambert-int8": ("lambert", "all submitted at once, with spans"),
        "ort-fused-int8": INT8["ort-fused-int8"],
        "ort-mha-int8": INT8["ort-mha-int8"],
        "openvino-int8": INT8["openvino-int8"],
        "openvino-int8-streams": ("openvino", "NNCF post-training, throughput, a stream a core"),
    },
}
OWN_BATCHES = ("lambert", "lambert-int8", "openvino-int8-streams")  # nobody chooses a size for them
ANSWER = {
    "lambert": ("lambert", "ask"),
    "pipeline": ("transformers", "question-answering pipeline on PyTorch"),
}


class Worker:
    """A process bound to the first `threads` cores, with every thread pool of that size."""

    def __init__(self, name: str, threads: int, paths):
        self.name = name
        if name.startswith("lambert"):
            precision = "int8" if "-int8" in name else "fp32"
            command = [f"{paths.build}/bench_lambert", f"{paths.packed}/{precision}.lambert",
                       str(threads)]
        else:
            command = [paths.python, "bench/peer.py", name.removesuffix("-avx2"), paths.model,
                       paths.onnx, str(threads)]
        cores = sorted(os.sched_getaffinity(0))[:threads]
        environment = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads),
                           RAYON_NUM_THREADS=str(threads), TOKENIZERS_PARALLELISM="true")
        if name.endswith("-avx2"):
            environment |= {"LAMBERT_ISA": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2"}
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
