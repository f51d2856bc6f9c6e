"""Asks a running server with Hugging Face's and Triton's own Python clients, and as SageMaker does.

Usage: python_clients.py BASE_URL
"""
import http.client
import json
import sys
import urllib.parse

import numpy
import tritonclient.http
from huggingface_hub import InferenceClient

QUESTION, CONTEXT = "Who wrote it?", "\U0001F600 Ada Lovelace wrote the program in 1843."
ANSWER, START, END = "Ada Lovelace", 2, 14


def check(condition, what):
    if not condition:
        sys.exit(f"python_clients: {what}")


def ask_hugging_face(url):
    client = InferenceClient(base_url=url)
    one = client.question_answering(question=QUESTION, context=CONTEXT)
    one = one[0] if isinstance(one, list) else one
    check((one.answer, one.start, one.end) == (ANSWER, START, END), f"InferenceClient got {one}")
    check(0 < one.score <= 1, f"InferenceClient got the score {one.score}")
    several = client.question_answering(question=QUESTION, context=CONTEXT, top_k=3)
    check([a.answer for a in several][0] == ANSWER and len(several) == 3,
          f"InferenceClient with top_k 3 got {several}")
    named = InferenceClient(model=f"{url}/models/org/name")
    one = named.question_answering(question=QUESTION, context=CONTEXT)
    one = one[0] if isinstance(one, list) else one
    check(one.answer == ANSWER, f"InferenceClient of a model got {one}")
    print("ok: huggingface_hub InferenceClient: 3 requests")


def ask_triton(url):
    client = tritonclient.http.InferenceServerClient(urllib.parse.urlparse(url).netloc)
    check(client.is_server_live() and client.is_server_ready(), "Triton's client: not live")
    check(client.is_model_ready("model"), "Triton's client: model not ready")
    metadata = client.get_model_metadata("model")
    check([t["name"] for t in metadata["inputs"]] == ["question", "context"], f"metadata {metadata}")
    check(client.get_server_metadata()["name"] == "lambert", "metadata of the server")
    inputs = []
    for name, texts in (("question", [QUESTION, "When?"]), ("context", [CONTEXT, CONTEXT])):
        tensor = tritonclient.http.InferInput(name, [len(texts)], "BYTES")
        tensor.set_data_from_numpy(numpy.array(texts, dtype=object), binary_data=False)
        inputs.append(tensor)
    outputs = [tritonclient.http.InferRequestedOutput(name, binary_data=False)
               for name in ("answer", "score", "start", "end")]
    result = client.infer("model", inputs, outputs=outputs, request_id="7")
    check([str(a) for a in result.as_numpy("answer")] == [ANSWER, "1843"],
          f"Triton's client got {result.as_numpy('answer')}")
    check(result.as_numpy("start").tolist()[0] == START, f"start {result.as_numpy('start')}")
    check(result.as_numpy("score").dtype == numpy.float32, "the score's type")
    check(result.get_response()["id"] == "7", "the id of the request")
    print("ok: tritonclient: health, metadata, infer")


def ask_as_sagemaker(url):
    """Its contract: GET /ping is 200 when ready, POST /invocations has the payload."""
    connection = http.client.HTTPConnection(urllib.parse.urlparse(url).netloc)
    connection.request("GET", "/ping")
    response = connection.getresponse()
    check(response.status == 200 and response.read() is not None, "/ping")
    payload = {"inputs": {"question": QUESTION, "context": CONTEXT}}
    connection.request("POST", "/invocations", json.dumps(payload),
                       {"Content-Type": "application/json", "Accept": "application/json"})
    response = connection.getresponse()
    answer = json.loads(response.read())
    check(response.status == 200 and answer["answer"] == ANSWER, f"/invocations: {answer}")
    print("ok: SageMaker's contract: /ping, /invocations")


if __name__ == "__main__":
    base_url = sys.argv[1].rstrip("/")
    ask_hugging_face(base_url)
    ask_triton(base_url)
    ask_as_sagemaker(base_url)
