"""Texts to windows and logits to an answer, as transformers' question-answering pipeline does it (top_k 1,
max_answer_len 15, aligned to words), without transformers."""
import numpy as np
import tokenizers

MAX_TOKENS = 384
STRIDE = 128
MAX_ANSWER_TOKENS = 15
CANDIDATES = 12  # spans of a window that compete: top_k * 2 + 10 of the pipeline
NEAR = np.tril(np.triu(np.ones((MAX_TOKENS, MAX_TOKENS), np.float32)), MAX_ANSWER_TOKENS - 1)


def load_tokenizer(path: str):
    tokenizer = tokenizers.Tokenizer.from_file(path)
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS, stride=STRIDE, strategy="only_second")
    return tokenizer


def windows(tokenizer, question: str, context: str) -> list:
    first = tokenizer.encode(question, context)
    return [first, *first.overflowing]


def probabilities(logits, allowed):
    """Over the context and the first token, [CLS], whose own is then set to 0."""
    values = np.where(allowed, np.exp(logits - logits[allowed].max()), 0.0)
    values /= values.sum()
    values[0] = 0.0
    return values


def characters(window, first: int, last: int) -> tuple[int, int]:
    """Code points of the words that a span begins and ends in."""
    words = window.word_ids
    if words[first] is None or words[last] is None:
        return window.offsets[first][0], window.offsets[last][1]
    return window.word_to_chars(words[first], 1)[0], window.word_to_chars(words[last], 1)[1]


def candidates(window, start, end):
    """(first token, last token, score) of a window's best spans, best first."""
    allowed = np.array([sequence == 1 for sequence in window.sequence_ids])
    allowed[0] = True
    start, end = probabilities(start, allowed), probabilities(end, allowed)
    count = len(start)
    scores = (np.outer(start, end) * NEAR[:count, :count]).ravel()
    most = min(CANDIDATES, len(scores))
    best = np.argpartition(-scores, most - 1)[:most]
    for place in best[np.argsort(-scores[best])]:
        if scores[place] > 0:
            yield *divmod(int(place), count), float(scores[place])


def best_answer(context: str, decoded) -> dict:
    """Of (window, start logits, end logits); equal texts are one answer, whose scores add up."""
    answers = {}
    for window, start, end in decoded:
        for first, last, score in candidates(window, start, end):
            begin, stop = characters(window, first, last)
            text = context[begin:stop]
            found = answers.setdefault(text.lower(), {"answer": text, "score": 0.0, "start": begin,
                                                      "end": stop})
            found["score"] += score
    return max(answers.values(), key=lambda answer: answer["score"],
               default={"answer": "", "score": 0.0, "start": 0, "end": 0})
