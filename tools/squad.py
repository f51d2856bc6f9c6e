"""Questions of SQuAD v1.1 dev for the checks in this folder."""
import json
import lzma
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent


def spread_questions(count):
    """`count` pairs (question, context), spread over the file from $LAMBERT_DATA or ../shared/data;
    one of our own where it is missing."""
    folder = pathlib.Path(os.environ.get("LAMBERT_DATA") or ROOT.parent / "shared" / "data")
    path = folder / "squad-dev-v1.1.json.xz"
    if not path.exists():
        print(f"NOTICE: {path.name} is missing from LAMBERT_DATA; one question is compared")
        return [("Who wrote it?", "Ada Lovelace wrote it in 1843.")]
    articles = json.loads(lzma.open(path).read())["data"]
    every = [(question["question"], paragraph["context"]) for article in articles
             for paragraph in article["paragraphs"] for question in paragraph["qas"]]
    return every[::len(every) // count][:count]
