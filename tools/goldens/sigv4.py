"""Makes tests/net/data/sigv4.jsonl: requests to S3 and STS as botocore 1.29.27 signs them.

Run from the root of the repository, with Debian 12's python3-botocore:
    /usr/bin/python3 tools/goldens/sigv4.py

A line is {"key" or "query" (pairs) to encode, "method", "target" as botocore encodes it, "host",
"headers" to sign (pairs), "body", "access", "secret", "token", "region", "service", "time" (seconds
since 1970), "authorization"}. S3 paths hold hard keys: blanks, plus signs, empty and dotted segments,
percent signs, Unicode, what HTTP reserves; queries hold the same as values. Keys and tokens are drawn
and open nothing.
"""
import datetime
import json
import random
import urllib.parse
from unittest import mock

import botocore
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

OUTPUT = "tests/net/data/sigv4.jsonl"
KEYS = ["plain", "a b", "a+b", "a//b", "/leading", "trailing/", "a/../b", "./a", ".hidden/..x", "...",
        "100%", "%41", "%2F", "~user", "tilde~/x", "ä/ö ü", "日本語.bin", "😀", "a&b=c", "a?b", "a#b",
        "q\"uote", "ap'os", "back\\slash", "co:lon", "se;mi", "at@", "$dollar", "com,ma", "(paren)",
        "[x]", "{y}", "a|b", "^", "`", "<tag>", "*star*", "!bang", "=", "tab\there", "e\u0301",
        "model.tar.gz", "models/v1.2/model_final-3.safetensors", "x" * 300, "\u00a0", "\x7f"]
REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1", "cn-north-1"]


def quoted(text, safe=""):
    return urllib.parse.quote(text, safe=safe + "-_.~")


def drawn(generator, letters, size):
    return "".join(generator.choice(letters) for _ in range(size))


def case(generator, service, key=None, query=()):
    upper, mixed = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", "abcXYZ0189+/"
    region = generator.choice(REGIONS)
    token = drawn(generator, mixed, 80) + "==" if generator.random() < 0.5 else ""
    body = generator.choice(["", "", "body", "ünïcode", "x" * 80]) if key is not None else "Action=A"
    method = generator.choice(["PUT", "POST"] if body else ["GET", "HEAD", "DELETE"])
    time = datetime.datetime(2024, 1, 1) + datetime.timedelta(seconds=generator.randrange(10**8))
    host = (f"bucket.s3.{region}.amazonaws.com" if service == "s3" else f"sts.{region}.amazonaws.com")
    headers = generator.sample([("Range", "bytes=0-9"), ("If-Match", '"abc-2"'),
                                ("x-amz-checksum-mode", "ENABLED"), ("x-amz-meta-a", "  two  blanks "),
                                ("Content-Type", "application/octet-stream")], generator.randrange(4))
    target = "/" + quoted(key, "/") if key is not None else "/"
    if query:
        target += "?" + "&".join(f"{quoted(name)}={quoted(value)}" for name, value in query)
    access, secret = "AKIA" + drawn(generator, upper, 16), drawn(generator, mixed, 40)
    request = AWSRequest(method, f"https://{host}{target}", headers=dict(headers), data=body.encode())
    signer = auth.S3SigV4Auth if service == "s3" else auth.SigV4Auth
    with mock.patch.object(auth.datetime, "datetime",
                           mock.Mock(utcnow=lambda: time, strptime=datetime.datetime.strptime)):
        signer(Credentials(access, secret, token or None), service, region).add_auth(request)
    return {"key": key, "query": query, "method": method, "target": target, "host": host,
            "headers": headers, "body": body, "access": access, "secret": secret, "token": token,
            "region": region, "service": service,
            "time": int(time.replace(tzinfo=datetime.timezone.utc).timestamp()),
            "authorization": request.headers["Authorization"]}


def cases():
    generator = random.Random(4)
    for key in KEYS:
        for _ in range(3):
            yield case(generator, "s3", key)
    for _ in range(100):
        key = generator.choice(KEYS) + generator.choice(KEYS)
        query = [(name, generator.choice(KEYS)) for name in
                 generator.sample(["prefix", "list-type", "continuation-token", "Z", "a", "~", "a b"],
                                  generator.randrange(1, 5))]
        yield case(generator, "s3", key, query)
    for value in ("", "0"):
        yield case(generator, "s3", "k", [("uploads", value)])
    yield case(generator, "s3", "k", [("a", "2"), ("a", "1"), ("a", "10"), ("B", "x"), ("a-", "")])
    for _ in range(10):
        yield case(generator, "sts")


def main():
    assert botocore.__version__ == "1.29.27", botocore.__version__
    with open(OUTPUT, "w") as output:
        for line in cases():
            output.write(json.dumps(line, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
