#!/usr/bin/env python3
"""Makes tests/text/data/adversarial.json and digests.json with the Python package tokenizers 0.22.2.

adversarial.json  strings that are hard to tokenize, with all tokens of two tokenizers
digests.json      one 64-bit digest for each part of the large sweeps: every Unicode scalar alone
                  and between letters with twelve normalisers, and texts of SQuAD

    pip install tokenizers==0.22.2
    tools/goldens/tokens.py DATA     DATA: folder with squad-*-v1.1.json.xz

The digest of the tokens (id, start, end, word), as unsigned 32-bit values x in this order, is
h = h * 0x9E3779B97F4A7C15 + x + 1 modulo 2^64, from h = 0.
"""
import itertools
import json
import lzma
import pathlib
import random
import sys

import numpy as np
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from tokens_files import OWN, USUAL, tokenizer_json

ROOT = pathlib.Path(__file__).parents[2]
DATA = ROOT / "tests" / "text" / "data"
MODEL = ROOT / "models" / "distilbert-minilm-squad"
TABLES = json.loads((ROOT / "tools" / "unicode" / "fast_tables.json").read_text())
MULTIPLIER = 0x9E3779B97F4A7C15
BLOCK = 4096
SQUAD_TEXTS, SQUAD_BLOCK = 20000, 100


def expand(ranges):
    return [c for r in ranges for c in range(int(r[0], 16), int(r[1], 16) + 1)]


WHITESPACE = set(expand(TABLES["pretokenizer_whitespace"]))


def is_scalar(c):
    return not 0xD800 <= c < 0xE000


def digest(encoding):
    rows = [encoding.ids, [o[0] for o in encoding.offsets], [o[1] for o in encoding.offsets],
            encoding.word_ids]
    values = np.array(rows, dtype=np.uint64).T.ravel() + np.uint64(1)
    powers = np.full(len(values), MULTIPLIER, dtype=np.uint64)
    if len(powers):
        powers[0] = 1
    with np.errstate(over="ignore"):
        return f"{int((values[::-1] * np.cumprod(powers)).sum(dtype=np.uint64)):016x}"


def encode(tokenizer, text):
    return tokenizer.encode(text, add_special_tokens=False)


# A vocabulary with each character of the lower planes, at the start of a word and within, so that
# an id tells which character came out of the normaliser. Line 0 of this vocab.txt is [UNK].
ALPHABET_END = 0x30000


def alphabet_vocabulary():
    vocabulary = {"[UNK]": 0}
    for c in range(ALPHABET_END):
        if is_scalar(c) and c not in WHITESPACE:
            vocabulary[chr(c)] = 2 * c + 1
            vocabulary["##" + chr(c)] = 2 * c + 2
    return vocabulary


def variants():
    """(lowercase, strip_accents, handle_chinese_chars)"""
    return itertools.product([True, False], [None, True, False], [True, False])


def scalar_texts():
    """One text for each block of scalars."""
    for first in range(0, 0x110000, BLOCK):
        yield " ".join(f"{chr(c)} a{chr(c)}b x\u0345{chr(c)}\u0334y"
                       for c in range(first, first + BLOCK) if is_scalar(c))


def scalar_digests():
    tokenizer = Tokenizer(models.WordPiece(alphabet_vocabulary(), unk_token="[UNK]",
                                           max_input_chars_per_word=100))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    texts = list(scalar_texts())
    result = []
    for lowercase, strip_accents, chinese in variants():
        tokenizer.normalizer = normalizers.BertNormalizer(
            clean_text=True, handle_chinese_chars=chinese, strip_accents=strip_accents,
            lowercase=lowercase)
        result.append({"lowercase": lowercase, "strip_accents": strip_accents, "chinese": chinese,
                       "digests": [digest(encode(tokenizer, text)) for text in texts]})
    return result


def squad_texts(folder):
    texts = []
    for name in ["squad-dev-v1.1.json.xz", "squad-train-v1.1.json.xz"]:
        with lzma.open(folder / name) as file:
            for article in json.load(file)["data"]:
                for paragraph in article["paragraphs"]:
                    texts.append(paragraph["context"])
                    texts += [question["question"] for question in paragraph["qas"]]
    return texts[:SQUAD_TEXTS]


def squad_digests(folder):
    texts = squad_texts(folder)
    result = {}
    for name in ["uncased", "cased"]:
        tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
        if name == "cased":
            tokenizer.normalizer = normalizers.BertNormalizer(
                clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=False)
        # Each text is a part of the stream: the digest goes on from text to text.
        digests = []
        for first in range(0, len(texts), SQUAD_BLOCK):
            encodings = [encode(tokenizer, text) for text in texts[first:first + SQUAD_BLOCK]]
            digests.append(digest(joined(encodings)))
        result[name] = digests
    return result


class joined:
    """The tokens of several encodings, one after the other."""

    def __init__(self, encodings):
        self.ids = [x for e in encodings for x in e.ids]
        self.offsets = [x for e in encodings for x in e.offsets]
        self.word_ids = [x for e in encodings for x in e.word_ids]


FIXED = [
    "", " ", "\t\n\r", "\0", "a\0b c\u200bd", "caf\u00e9 na\u00efve", "cafe\u0301 x", "\u0301abc",
    "\ufeffhello", "\u4e2d\u6587abc", "\ud55c\uad6d\uc5b4", "foo[SEP]bar [sep]", "x\U0001f600y",
    "a" * 100, "a" * 101, "\u00e9" * 100, "e\u0301" * 101, "\u4e2d" * 101, "\u0130stanbul \u0130",
    "\u039f\u0394\u039f\u03a3 \u03c2", "\u00df \u1e9e \ufb01", "don't -- stop...", "\u3000x\u00a0y\u2028z",
    "\u202eabc\u202c", "\U0001f468\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f", "\u0644\u0651\u064e \u05d1\u05bc",
    "\u302e\u0301x \u0344\u0345\u0f73\u0f71", "[CLS][SEP][MASK][PAD][UNK]", "[CLS", "CLS]", "[[CLS]]",
    "a\u0085b\x1cc\x0bd", "\ufffd\ufffe", "\ue000x\U000f0000y", "\U0010ffff", "1,000.50 $3 \u20ac5",
    "x" + "\u0301" * 300 + "y", "\u1100\u1161\u11a8", "\uac01\u0301\uac00", "new york NEW YORK New  York",
    "tok tokx xtok (tok) tok", "<new><NEW>  [X1]  [X1][X1]", "http://a.b/c?d=e&f#g", "\u00ad\u00ad", "\u0345" * 20,
]


def adversarial_strings(count=560, seed=20):
    rng = random.Random(seed)
    marks = expand(TABLES["combining_class"])
    kept = sorted(set(marks) - set(expand(TABLES["strip_accents_removed_mn"])))
    pools = [marks, kept, [int(c, 16) for c in TABLES["nfd_map_excl_hangul"]],
             [int(c, 16) for c in TABLES["lowercase_map"]], sorted(WHITESPACE),
             expand(TABLES["clean_text_removed"][:20]), expand([["2B810", "2B930"], ["4E00", "4E20"]]),
             expand(TABLES["pretokenizer_punctuation"]), [ord(c) for c in "abcxyzABC019.,'"],
             expand([["AC00", "AC40"], ["1100", "1180"]]), expand([["1F600", "1F640"]])]
    words = ["tok", "<new>", "[X1]", "New York", "new york", "[SEP]", "[CLS]", "hello", "playing", " ",
             "  ", "the", "\u00c9", "unaffable", "2020"]
    strings = list(FIXED)
    while len(strings) < count:
        some = rng.sample(pools, rng.randint(1, 4))
        text = "".join(rng.choice(words) if rng.random() < 0.3 else chr(rng.choice(rng.choice(some)))
                       for _ in range(rng.randint(1, 16)))
        if all(is_scalar(ord(c)) for c in text):
            strings.append(text)
    return strings


def adversarial():
    default = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    own = tokenizer_json(tokens=USUAL + OWN)
    with_own = Tokenizer.from_str(own)
    strings = []
    for text in adversarial_strings():
        row = [text]
        for tokenizer in [default, with_own]:
            e = encode(tokenizer, text)
            row.append([e.ids, [x for o in e.offsets for x in o], e.word_ids])
        strings.append(row)
    return {"own_tokenizer_json": own, "strings": strings}


def write(name, value):
    path = DATA / name
    path.write_text(json.dumps(value, separators=(",", ":")) + "\n")
    print(name, path.stat().st_size, "bytes")


def main():
    DATA.mkdir(parents=True, exist_ok=True)
    write("adversarial.json", adversarial())
    write("digests.json", {"scalars": scalar_digests(), "squad": squad_digests(pathlib.Path(sys.argv[1]))})


if __name__ == "__main__":
    main()
