"""What the servers are asked: questions of SQuAD v1.1 dev, the same in the same order for all."""
import json
import lzma
import os
import random
import re

SHORT_TOKENS = 32
SEED = 2016


def articles(path: str) -> list:
    if not os.path.exists(path):
        raise SystemExit(f"bench: {path} is missing")
    with lzma.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)["data"]


def sentence_at(text: str, place: int) -> str:
    """The sentence of the text that the character at `place` is in."""
    ends = [match.end() for match in re.finditer(r"[.!?]\s+", text)]
    begin = max((end for end in ends if end <= place), default=0)
    return text[begin:min((end for end in ends if end > place), default=len(text))].strip()


def shuffled(path: str) -> list[tuple[str, str, str]]:
    """(question, paragraph, the sentence of the paragraph that has the answer), all of the file."""
    found = [(qa["question"].strip(), paragraph["context"],
              sentence_at(paragraph["context"], qa["answers"][0]["answer_start"]))
             for article in articles(path) for paragraph in article["paragraphs"]
             for qa in paragraph["qas"]]
    random.Random(SEED).shuffle(found)
    return found


def mixed(found, count: int) -> list[tuple[str, str]]:
    """Questions with their whole paragraphs."""
    return [(question, paragraph) for question, paragraph, _ in found[:count]]


def short(found, count: int, tokenizer_path: str) -> list[tuple[str, str]]:
    """Questions with one sentence, that make at most SHORT_TOKENS tokens together."""
    import tokenizers
    tokenizer = tokenizers.Tokenizer.from_file(tokenizer_path)
    tokenizer.no_truncation()
    chosen = []
    for question, _, sentence in found:
        if len(tokenizer.encode(question, sentence).ids) <= SHORT_TOKENS:
            chosen.append((question, sentence))
        if len(chosen) == count:
            break
    return chosen


def write_bodies(path: str, pairs) -> str:
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps({"question": question, "context": context}) + "\n"
                        for question, context in pairs)
    return path


def token_counts(pairs, tokenizer_path: str) -> list[int]:
    import tokenizers
    tokenizer = tokenizers.Tokenizer.from_file(tokenizer_path)
    tokenizer.no_truncation()
    return sorted(len(tokenizer.encode(*pair).ids) for pair in pairs)
