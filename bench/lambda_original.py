"""The Python service that Lambert replaces, for `make bench-lambda`: DistilBERT on PyTorch behind AWS's
own Python runtime client, weights from a .tar.gz in S3 or from the package.

Restated over today's transformers. As there, gradients are kept and an attention mask is given; the
tokenizer is the fast one and attention PyTorch's fused one, which it did not have yet. Runs as
    python -m awslambdaric lambda_original.handle
in a directory that has model/. MODEL_BUCKET and MODEL_KEY name the archive; without them model/ has
the weights too.
"""
import io
import json
import os
import tarfile

import torch
from transformers import AutoConfig, AutoTokenizer, DistilBertForQuestionAnswering

HEADERS = {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*",
           "Access-Control-Allow-Credentials": True}


def state_from_s3(bucket, key):
    import boto3
    body = boto3.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body), mode="r:gz") as archive:
        for member in archive.getmembers():
            if member.name.endswith(".bin"):
                return torch.load(io.BytesIO(archive.extractfile(member).read()))
    raise KeyError("no .bin in the archive")


def load():
    if "MODEL_BUCKET" not in os.environ:
        return DistilBertForQuestionAnswering.from_pretrained("model", dtype=torch.float32)
    state = state_from_s3(os.environ["MODEL_BUCKET"], os.environ["MODEL_KEY"])
    return DistilBertForQuestionAnswering.from_pretrained(
        None, config=AutoConfig.from_pretrained("model"), state_dict=state)


MODEL = load().eval()
TOKENIZER = AutoTokenizer.from_pretrained("model")


def answer(question, context):
    encoded = TOKENIZER(question, context)
    ids = encoded["input_ids"]
    output = MODEL(torch.tensor([ids]), attention_mask=torch.tensor([encoded["attention_mask"]]))
    start, end = output.start_logits.argmax(), output.end_logits.argmax()
    tokens = TOKENIZER.convert_ids_to_tokens(ids[start:end + 1], skip_special_tokens=True)
    return " ".join(tokens).replace(" ##", "").strip()


def handle(event, _context):
    try:
        body = json.loads(event["body"])
        status, result = 200, {"answer": answer(body["question"], body["context"])}
    except Exception as error:  # as the service did: whatever it is, to the client
        status, result = 500, {"error": repr(error)}
    return {"statusCode": status, "headers": HEADERS, "body": json.dumps(result)}
