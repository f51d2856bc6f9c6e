#!/usr/bin/env python3
"""Measures what fast_tables.json lacks, with the Python package tokenizers 0.22.2.

Adds three keys to fast_tables.json:
  nfd_map_excl_hangul  {"00C5": ["0041", "030A"], ...}   full canonical decompositions
  combining_class      [["0300", "0314", 230], ...]      ranges with a class other than 0
  regex_word           [["0030", "0039"], ...]           ranges that match \\w in added tokens

The library does not show combining classes. A character is known to its tables when it changes
places with U+0334 (class 1) or U+0345 (class 240); classes never change once assigned (Unicode
stability policy), so the value is Python's, checked against every other class in pairs.
"""
import json
import pathlib
import unicodedata

from tokenizers import AddedToken, Tokenizer, models, normalizers

TABLES = pathlib.Path(__file__).with_name("fast_tables.json")
SCALARS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
NFD = normalizers.NFD().normalize_str


def ranges(points):
    """[(first, last), ...] of sorted code points."""
    out = []
    for c in points:
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def hexa(c):
    return f"{c:04X}"


def decompositions():
    found = {}
    for c in SCALARS:
        if 0xAC00 <= c <= 0xD7A3:
            continue
        text = NFD(chr(c))
        if text != chr(c):
            found[c] = [ord(x) for x in text]
    return found


def combining_classes(decomposed):
    classes = {}
    for c in SCALARS:
        if c in decomposed or 0xAC00 <= c <= 0xD7A3:
            continue
        x = chr(c)
        above_1 = NFD("a" + x + "\u0334") != "a" + x + "\u0334"
        below_240 = NFD("a\u0345" + x) != "a\u0345" + x
        if above_1 or below_240:
            classes[c] = unicodedata.combining(x)
            assert classes[c], hexa(c)
    assert classes[0x334] == 1 and 0x345 in classes
    one_of_each = {k: chr(c) for c, k in classes.items()}
    for c, k in classes.items():
        for other, y in one_of_each.items():
            text = "a" + y + chr(c)
            assert (NFD(text) != text) == (other > k), (hexa(c), hexa(ord(y)))
    return classes


def word_characters():
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.add_tokens([AddedToken("<Q>", single_word=True, normalized=False)])
    return [c for c in SCALARS if 1 not in tokenizer.encode(chr(c) + "<Q>").ids]


def main():
    tables = json.loads(TABLES.read_text())
    nfd = decompositions()
    classes = combining_classes(nfd)
    tables["nfd_map_excl_hangul"] = {hexa(c): [hexa(x) for x in d] for c, d in nfd.items()}
    tables["combining_class"] = [
        [hexa(first), hexa(last), k]
        for k in sorted(set(classes.values()))
        for first, last in ranges([c for c in sorted(classes) if classes[c] == k])
    ]
    tables["regex_word"] = [[hexa(a), hexa(b)] for a, b in ranges(word_characters())]
    tables["measured_with"] += "; the last three keys: PyPI tokenizers 0.22.2"
    TABLES.write_text(json.dumps(tables))


if __name__ == "__main__":
    main()
