"""Texts to measure with: pairs of an exact number of tokens, and questions of SQuAD."""
import json
import lzma
import os

QUESTION = "What is BERTs best score on Squadv2 ?"


def pair_of(tokens: int, tokenizer, text: str) -> tuple[str, str]:
    """A question and as many words of `text`, repeated, as make exactly `tokens` tokens."""
    def count(words):
        return len(tokenizer(QUESTION, " ".join(words))["input_ids"])

    words, chosen = text.split(), []
    while count(chosen + [words[len(chosen) % len(words)]]) <= tokens:
        chosen.append(words[len(chosen) % len(words)])
    while count(chosen) < tokens:
        chosen.append("the")
    if count(chosen) != tokens:
        raise RuntimeError(f"no text of {tokens} tokens was found")
    return QUESTION, " ".join(chosen)


def squad_questions(path: str, wanted: int) -> list[tuple[str, str]]:
    """`wanted` questions with their paragraphs, spread evenly over the file; [] without a file."""
    if not os.path.exists(path):
        return []
    with lzma.open(path, "rt", encoding="utf-8") as file:
        articles = json.load(file)["data"]
    pairs = [(qa["question"], paragraph["context"]) for article in articles
             for paragraph in article["paragraphs"] for qa in paragraph["qas"]]
    chosen = pairs[::max(1, len(pairs) // wanted)][:wanted]
    return [(" ".join(q.split()), " ".join(c.split())) for q, c in chosen]


def of_one_window(pairs, model: str, most_tokens: int) -> list[tuple[str, str]]:
    """Those that make at most so many tokens."""
    import tokenizers
    tokenizer = tokenizers.Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
    tokenizer.no_truncation()
    return [pair for pair in pairs if len(tokenizer.encode(*pair).ids) <= most_tokens]
