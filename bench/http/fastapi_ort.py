"""A peer of `make bench-http`: FastAPI, ONNX Runtime and the tokenizers package.

python -m uvicorn --app-dir bench/http fastapi_ort:app; PEER_MODEL is the .onnx file,
PEER_TOKENIZER the tokenizer.json, PEER_THREADS those of the session, PEER_REQUESTS how many
requests a process computes at once.
"""
import asyncio
import concurrent.futures
import os

import fastapi
import numpy as np
import onnxruntime
import pydantic

import spans

POOL = concurrent.futures.ThreadPoolExecutor(int(os.environ["PEER_REQUESTS"]))
TOKENIZER = spans.load_tokenizer(os.environ["PEER_TOKENIZER"])


def open_session():
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["PEER_THREADS"])
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    return onnxruntime.InferenceSession(os.environ["PEER_MODEL"], options,
                                        providers=["CPUExecutionProvider"])


SESSION = open_session()
app = fastapi.FastAPI()


class Question(pydantic.BaseModel):
    question: str
    context: str


def logits(window):
    ids = np.array([window.ids], dtype=np.int64)
    start, end = SESSION.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
    return start[0], end[0]


def answer(question: str, context: str) -> dict:
    return spans.best_answer(context, ((window, *logits(window)) for window in spans.windows(
        TOKENIZER, question, context)))


@app.post("/ask")
async def ask(body: Question):
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(POOL, answer, body.question, body.context)


@app.get("/health")
async def health():
    return "ok"
