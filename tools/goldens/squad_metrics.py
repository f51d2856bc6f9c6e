"""Makes the goldens of SQuAD's metrics.

  squad_metrics.py DEV_V1.json DEV_V2.json > tests/eval/data/squad_metrics.json
      pairs of texts with their normal form, exact match and F1, and figures over whole dev files
      with answers that a seeded generator spoilt

Exact match and F1 come from transformers 5.2.0 (transformers.data.metrics.squad_metrics); v1.1's
script differs in one place, see f1_v1. Python 3.11 is expected: its Unicode 14 tables are what the
tests compare with.
"""

import json
import random
import struct
import sys

SURROGATES = range(0xD800, 0xE000)
CODE_POINTS = [c for c in range(0x110000) if c not in SURROGATES]


HAND_MADE = [
    ("", ""), ("", "a"), ("a", ""), ("the", "a"), ("The", ""), ("!", "the"), ("...", ""),
    ("Denver Broncos", "denver broncos"), ("the Denver Broncos", "Denver Broncos!"),
    ("Denver  Broncos", "Denver\tBroncos\n"), ("a.b.c", "abc"), ("a an the", "the a an"),
    ("theatre", "atre"), ("an-other", "another"), ("a-b", "ab"), ("A_b", "ab"), ("_a_", "a"),
    ("it's", "its"), ("rock'n'roll", "rocknroll"), ("U.S.", "US"), ("10,000", "10000"),
    ("$5.0bn", "50bn"), ("5 0", "50"), ("a\u0301", "\u00e1"), ("a\u0301 b", "b"),
    ("the\u0301", ""), ("\u00e1n", "an"), ("an\u00e9", "an"), ("\u00aa a", "\u00aa"),
    ("a\u200db", "b"), ("a\u00a0b", "b"), ("a\u2009the\u2009b", "b"), ("x\u200by", "xy"),
    ("\u1680x\u3000", "x"), ("x\x1cy\x1dz\x1e\x1f", "x y z"), ("\x85x", "x"), ("x\u180ey", "x y"),
    ("\ufeffx", "x"), ("\u0130stanbul", "i\u0307stanbul"), ("\u0130", "i"), ("I", "\u0131"),
    ("\u03a3\u03a3", "\u03c3\u03c2"), ("\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03bf\u03c2"),
    ("\u03a3", "\u03c3"), ("A\u03a3.", "a\u03c2"), ("A\u03a3.B", "a\u03c3b"),
    ("A\u0301\u03a3", "a\u0301\u03c2"), ("\u03a3A", "\u03c3a"), ("1\u03a3", "1\u03c3"),
    ("A.\u03a3", "a\u03c2"), ("A\u03a3\u00ad\u00adB", "a\u03c3\u00ad\u00adb"),
    ("\U00010400", "\U00010428"), ("\u1e9e", "\u00df"), ("\u00df", "ss"), ("\u2126", "\u03c9"),
    ("\u212a", "k"), ("\uab70", "\u13a0"), ("\u01c5", "\u01c6"), ("\ufb01", "fi"),
    ("\u00d7 a \u00d7", "\u00d7 \u00d7"), ("a\u00b2", "a2"), ("\u2164", "\u2174"),
    ("a\u0660", "a0"), ("the\u2019s", "s"), ("the\u2014end", "\u2014end"), ("\u201cthe\u201d", "\u201c \u201d"),
    ("an\u0903", "\u0903"), ("a\u20dd", "\u20dd"), ("\u0c95a", "\u0c95"), ("a\u4e2d", "\u4e2d"),
    ("\u4e2d a \u6587", "\u4e2d \u6587"), ("\U0001f600 the \U0001f600", "\U0001f600 \U0001f600"),
    ("a\u0000b", "b"), ("\u0000", ""), ("red red blue", "red blue blue"), ("b b b", "b"),
    ("b c d", "d c b"), ("one two three four", "two three"), ("`~!@#$%^&*()_+-=[]{}|;':\",./<>?\\", ""),
    ("\u00a7 a", "\u00a7"), ("\u00bfa?", "\u00bf"), ("a\u00bd", "a\u00bd"), ("AN", "an x"),
]
ALPHABET = (
    list("aAnNtThHeE tThHeE  aA.,'-_!?(x)zZ09\t\n") + ["the ", " a ", " an ", "The", "a", "an"]
    + list("\u00e1\u0301\u0308\u0130\u0131\u03a3\u03c3\u03c2\u039f\u00df\u1e9e\u00a0\u2009\u200b\u200d\u2028\u3000\u00ad\u2019"
           "\u4e2d\u0660\u00b2\u00bd\u2164\u0903\u20dd\u212a\U00010400\U0001f600\ufeff\x1c\x85\u00aa\u02b0\u0345\u1d2c\u24b6")
)


def f1_v1(metrics, reference, answer):
    """evaluate-v1.1.py: without a common word F1 is 0, also where both sides are empty."""
    if not metrics.get_tokens(reference) or not metrics.get_tokens(answer):
        return 0
    return metrics.compute_f1(reference, answer)


def fnv1a(data, state=0xCBF29CE484222325):
    """FNV-1a, 64 bits: a digest that a test can compute in three lines."""
    for byte in data:
        state = (state ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return state


def ascii_upper(text):
    return "".join(chr(ord(c) - 32) if "a" <= c <= "z" else c for c in text)


def spoilt(text, question_id):
    """An answer as a model might give it: right, cut, widened, in other case, or nothing."""
    words = text.split(" ")
    return [lambda: "", lambda: " ".join(words[:-1]), lambda: " ".join(words[1:]),
            lambda: "The " + text + ".", lambda: ascii_upper(text),
            lambda: " ".join(reversed(words)) + " and", lambda: text, lambda: text,
            ][fnv1a(question_id.encode()) % 8]()


def whole_file(metrics, path, v2):
    """Figures over a dev file; `digest` is over every question's exact match and F1."""
    digest = fnv1a(b"")
    exact_sum = f1_sum = 0.0
    total = 0
    predictions = {}
    with open(path, encoding="utf-8") as file:
        data = json.load(file)["data"]
    for article in data:
        for paragraph in article["paragraphs"]:
            for question in paragraph["qas"]:
                references = [answer["text"] for answer in question["answers"]]
                base = references[0] if references else question["question"]
                answer = spoilt(base, question["id"])
                predictions[question["id"]] = answer
                if v2:
                    references = [r for r in references if metrics.normalize_answer(r)] or [""]
                exact = max(metrics.compute_exact(r, answer) for r in references)
                f1 = max(metrics.compute_f1(r, answer) if v2 else f1_v1(metrics, r, answer)
                         for r in references)
                exact_sum += exact
                f1_sum += f1
                total += 1
                digest = fnv1a(struct.pack("<dd", exact, f1), digest)
    if v2:  # the sums again, by transformers itself
        class Example:
            pass
        examples = []
        for article in data:
            for paragraph in article["paragraphs"]:
                for question in paragraph["qas"]:
                    example = Example()
                    example.qas_id, example.answers = question["id"], question["answers"]
                    examples.append(example)
        scores = metrics.squad_evaluate(examples, predictions)
        assert scores["exact"] == 100.0 * exact_sum / total and scores["total"] == total
        assert abs(scores["f1"] - 100.0 * f1_sum / total) < 1e-9
    return {"total": total, "exact_match": (100.0 * exact_sum / total).hex(),
            "f1": (100.0 * f1_sum / total).hex(), "digest": f"{digest:016x}"}


def print_goldens(dev_v1, dev_v2):
    from transformers.data.metrics import squad_metrics as metrics

    generator = random.Random(2016)
    pairs = list(HAND_MADE)
    for _ in range(320):
        left = "".join(generator.choice(ALPHABET) for _ in range(generator.randrange(12)))
        right = left
        for _ in range(generator.randrange(4)):
            at = generator.randrange(len(right) + 1)
            right = right[:at] + generator.choice(ALPHABET) + right[at + generator.randrange(2):]
        pairs.append((left, right))
    rows = [[reference, answer, metrics.normalize_answer(reference),
             metrics.normalize_answer(answer), metrics.compute_exact(reference, answer),
             float(metrics.compute_f1(reference, answer)).hex(),
             float(f1_v1(metrics, reference, answer)).hex()] for reference, answer in pairs]
    every = fnv1a(b"")
    for c in CODE_POINTS:  # each code point where case, word borders and white space matter
        text = f"A{chr(c)}\u03a3 a{chr(c)}the x{chr(c)}{chr(c)}B"
        every = fnv1a(metrics.normalize_answer(text).encode() + b"\n", every)
    files = {}
    for name, path, v2 in (("v1", dev_v1, False), ("v2", dev_v2, True)):
        files[name] = whole_file(metrics, path, v2)
    lines = ",\n".join("    " + json.dumps(row) for row in rows)
    print(f'{{\n  "pairs": [\n{lines}\n  ],\n  "every_code_point": "{every:016x}",')
    print(f'  "files": {json.dumps(files)}\n}}')


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print_goldens(*sys.argv[1:])
