"""The other engines' side of the benchmark: peer.py ENGINE MODEL_DIR ONNX_DIR THREADS.

ENGINE is ort-NAME for ONNX Runtime with ONNX_DIR/NAME.onnx, openvino-NAME for OpenVINO with
ONNX_DIR/ov-NAME.xml (openvino-NAME-bf16: allowed to compute in bf16; openvino-NAME-streams: for
throughput, with as many streams as threads), pytorch, or pipeline (transformers' question
answering, on PyTorch).
The protocol is that of bench_lambert.cc. What FORWARD times differs in Lambert's disfavour: here
it is the forward pass alone, over ids that are made before the clock starts.
BATCH takes the batch size as a second argument: windows of all questions by the fast tokenizer,
sorted by length, padded to the longest of their batch; the search for spans is left out. Streams
get single windows, as many at once as they take. MIXED times one question after another, which are
all of one window.
"""
import os
import sys
import time
import warnings

os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
warnings.filterwarnings("ignore")

import numpy as np
import tokenizers

MAX_TOKENS = 384
STRIDE = 128


def milliseconds(call) -> float:
    begin = time.perf_counter()
    call()
    return (time.perf_counter() - begin) * 1e3


class OrtEngine:
    def __init__(self, path: str, threads: int):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        self.session = onnxruntime.InferenceSession(
            path, options, providers=["CPUExecutionProvider"])

    def prepare(self, ids, mask):
        return {"input_ids": ids, "attention_mask": mask}

    def forward(self, inputs):
        return self.session.run(None, inputs)


class OpenVinoEngine:
    def __init__(self, path: str, threads: int, precision: str):
        import openvino
        self.model = openvino.Core().compile_model(path, "CPU", {
            "PERFORMANCE_HINT": "LATENCY", "NUM_STREAMS": "1", "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": precision})
        self.request = self.model.create_infer_request()

    def prepare(self, ids, mask):
        return {"input_ids": ids, "attention_mask": mask}

    def forward(self, inputs):
        results = self.request.infer(inputs, share_inputs=True, share_outputs=True)
        return results["start"], results["end"]


class OpenVinoStreams:
    """Windows in flight side by side, each on one core."""

    def __init__(self, path: str, threads: int):
        import openvino
        model = openvino.Core().compile_model(path, "CPU", {
            "PERFORMANCE_HINT": "THROUGHPUT", "NUM_STREAMS": str(threads),
            "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"})
        self.queue = openvino.AsyncInferQueue(model)

    def run_all(self, rows) -> None:
        for row in rows:
            ids = np.array([row], dtype=np.int64)
            self.queue.start_async({"input_ids": ids, "attention_mask": np.ones_like(ids)})
        self.queue.wait_all()


class TorchEngine:
    def __init__(self, model_dir: str, threads: int):
        import torch
        import transformers
        transformers.utils.logging.disable_progress_bar()
        torch.set_num_threads(threads)
        self.torch = torch
        self.model = transformers.AutoModelForQuestionAnswering.from_pretrained(
            model_dir, dtype=torch.float32, attn_implementation="sdpa").eval()

    def prepare(self, ids, mask):
        tensor = self.torch.from_numpy
        if mask.all():  # no padding: without a mask sdpa takes its fastest way
            return {"input_ids": tensor(ids)}
        return {"input_ids": tensor(ids), "attention_mask": tensor(mask)}

    def forward(self, inputs):
        with self.torch.inference_mode():
            output = self.model(**inputs)
        return output.start_logits.numpy(), output.end_logits.numpy()


class PipelineEngine:
    def __init__(self, model_dir: str, threads: int):
        import torch
        import transformers
        transformers.utils.logging.disable_progress_bar()
        torch.set_num_threads(threads)
        self.pipeline = transformers.pipeline(
            "question-answering", model=model_dir, dtype=torch.float32, device="cpu")

    def answer(self, question: str, context: str):
        return self.pipeline(question=question, context=context, max_seq_len=MAX_TOKENS)


def load_tokenizer(model_dir: str):
    # Not through transformers: importing it would count as ONNX Runtime's start and memory.
    tokenizer = tokenizers.Tokenizer.from_file(os.path.join(model_dir, "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS, stride=STRIDE, strategy="only_second")
    return tokenizer


def windows(tokenizer, pairs) -> list[list[int]]:
    return [window.ids for encoding in tokenizer.encode_batch(pairs)
            for window in (encoding, *encoding.overflowing)]


def read_pairs(path: str) -> list[tuple]:
    with open(path, encoding="utf-8") as file:
        return [tuple(line.rstrip("\n").split("\t")) for line in file]


def batch(engine, tokenizer, path: str, size: int) -> None:
    rows = sorted(windows(tokenizer, read_pairs(path)), key=len)
    if isinstance(engine, OpenVinoStreams):
        return engine.run_all(rows)
    for begin in range(0, len(rows), size):
        part = rows[begin:begin + size]
        longest = len(part[-1])
        ids = np.zeros((len(part), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for row, values in enumerate(part):
            ids[row, :len(values)] = values
            mask[row, :len(values)] = 1
        engine.forward(engine.prepare(ids, mask))


def one_window(engine, tokenizer, question: str, context: str):
    ids = np.array([tokenizer.encode(question, context).ids], dtype=np.int64)
    return engine.prepare(ids, np.ones_like(ids))


def peak_kib() -> str:
    """Of this program: getrusage's maximum is inherited from the one that started it."""
    with open("/proc/self/status", encoding="utf-8") as file:
        return next(line.split()[1] for line in file if line.startswith("VmHWM:"))


def serve(engine, tokenizer, fields) -> str:
    command = fields[0]
    if command == "FORWARD":
        inputs = one_window(engine, tokenizer, *fields[2:])
        return " ".join(f"{milliseconds(lambda: engine.forward(inputs)):.4f}"
                        for _ in range(int(fields[1])))
    if command == "ANSWER":
        return " ".join(f"{milliseconds(lambda: engine.answer(*fields[2:])):.4f}"
                        for _ in range(int(fields[1])))
    if command == "CHECK":
        start, end = engine.forward(one_window(engine, tokenizer, *fields[1:]))
        return " ".join(f"{value:.6f}" for value in np.concatenate([start[0], end[0]]))
    if command == "BATCH":
        return f"{milliseconds(lambda: batch(engine, tokenizer, fields[1], int(fields[2]))):.3f}"
    if command == "MIXED":
        inputs = [one_window(engine, tokenizer, *pair) for pair in read_pairs(fields[1])]
        return " ".join(f"{milliseconds(lambda: engine.forward(each)):.4f}" for each in inputs)
    if command == "MEMORY":
        return peak_kib()
    raise ValueError(f"unknown command {command}")


def make_engine(name: str, model_dir: str, onnx_dir: str, threads: int):
    if name.startswith("ort-"):
        return OrtEngine(os.path.join(onnx_dir, name[4:] + ".onnx"), threads)
    if name.startswith("openvino-"):
        name = name.removeprefix("openvino-")
        stem = name.removesuffix("-bf16").removesuffix("-streams")
        path = os.path.join(onnx_dir, f"ov-{stem}.xml")
        if name.endswith("-streams"):
            return OpenVinoStreams(path, threads)
        return OpenVinoEngine(path, threads, "bf16" if name.endswith("-bf16") else "f32")
    return {"pytorch": TorchEngine, "pipeline": PipelineEngine}[name](model_dir, threads)


def import_libraries(name: str) -> None:
    """Before the clock of load_ms starts: importing is not loading a model."""
    if name.startswith("ort-"):
        import onnxruntime
    elif name.startswith("openvino-"):
        import openvino
    else:
        import torch
        import transformers
        getattr(transformers, "AutoModelForQuestionAnswering")  # its modules are loaded lazily
        getattr(transformers, "pipeline")


def main(name: str, model_dir: str, onnx_dir: str, threads: str) -> None:
    import_libraries(name)
    begin = time.perf_counter()
    engine = make_engine(name, model_dir, onnx_dir, int(threads))
    load_ms = (time.perf_counter() - begin) * 1e3
    tokenizer = load_tokenizer(model_dir)
    print(f"READY {load_ms:.3f} -", flush=True)
    for line in sys.stdin:
        print(serve(engine, tokenizer, line.rstrip("\n").split("\t")), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
