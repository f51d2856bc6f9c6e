"""A peer of `make bench-http`: FastAPI and transformers' question-answering pipeline on PyTorch.

python -m uvicorn --app-dir bench/http fastapi_pipeline:app; PEER_MODEL is the model's folder,
PEER_THREADS those of PyTorch. A process computes one request at a time: a fast tokenizer must not be
used by two threads at once.
"""
import asyncio
import concurrent.futures
import os

os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"

import fastapi
import pydantic
import torch
import transformers

transformers.utils.logging.disable_progress_bar()
torch.set_num_threads(int(os.environ["PEER_THREADS"]))
POOL = concurrent.futures.ThreadPoolExecutor(1)
PIPELINE = transformers.pipeline("question-answering", model=os.environ["PEER_MODEL"],
                                 dtype=torch.float32, device="cpu")
app = fastapi.FastAPI()


class Question(pydantic.BaseModel):
    question: str
    context: str


def answer(question: str, context: str) -> dict:
    return PIPELINE(question=question, context=context)


@app.post("/ask")
async def ask(body: Question):
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(POOL, answer, body.question, body.context)


@app.get("/health")
async def health():
    return "ok"
