"""Makes tests/serve/data/python_json.jsonl: what Python 3.8 makes of texts that are, or nearly are, JSON.

Run from the root of the repository with CPython 3.8 (standard library only); later versions have
other texts for some errors:
    python3.8 tools/goldens/python_json.py

A line is [text, outcome, dumped]: `outcome` is the name of the type that json.loads returns, or
repr() of what it raises; `dumped` is json.dumps(text), absent for a text with lone surrogates. The
texts are a list of special ones and seeded damage to some whole ones.
"""
import json
import random
import sys

OUTPUT = "tests/serve/data/python_json.jsonl"

SPECIAL = [
    "", " ", "\n", "\t\r\n ", "\ufeff", "\ufeff{}", " \ufeff{}", "\xa0{}", "nul", "null", "nulll", "tru", "true",
    "false", "fals", "NaN", "Na", "Infinity", "-Infinity", "-Infinit", "-", "--1", "-0", "00", "01",
    "1", "-1", "1.", "1.e3", "1.0", ".5", "1e", "1e+", "1e5", "1E-5", "1e999", "1" * 300, "+1",
    "0x10", "1 2", "1,2", "{} {}", "[] x", "\"", "\"a", "\"a\"", "'a'", "\"\\", "\"\\\"", "\"\\x\"",
    "\"\\u\"", "\"\\u12\"", "\"\\u123g\"", "\"\\u0041\"", "\"\\u0041", "\"\\u004", "\"\\ud83d\\ude00\"",
    "\"\\ud83d\"", "\"\\ud83d\\u0041\"", "\"\\ud83d\\u\"", "\"\\ud83d\\u12\"", "\"\\ud83d\\ude0\"",
    "\"\\ud83d\\ude00", "\"\\ud83d\\", "\"\\ud83d\\ude0z\"", "\"\\ud83d\\n\"", "\"\\ude00\"", "\"\\uD83D\\uDE00\"",
    "\"a\nb\"", "\"a\tb\"", "\"\0\"", "\"\x7f\"", "\"\x1f\"", "\"\u2028\"", "\"\u00e9\"", "\"\U0001f600\"", "{", "}",
    "[", "]", "{]", "[}", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[1,,2]", "[ ]", "{ }", "{\"a\"", "{\"a\":",
    "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{\"a\" 1}", "{\"a\":}", "{\"a\"::1}", "{a:1}", "{'a':1}", "{1:2}",
    "{\"a\":1 \"b\":2}", "{\"a\":1,,\"b\":2}", "{,}", "{\"a\":1}}", "{\"a\":[}", "{\"a\":{\"b\":[1,2,{}]}}",
    "{\n  \"a\": 1,\n  \"b\" 2\n}", "\n\n{\n\"a\":\n\n\n\t?}", "[\n\n1\n\n2]", "/*c*/1", "// c\n1",
    "{\"a\":1,\"a\":2}", "[" * 500 + "]" * 500, "[" * 1100, "{\"a\":" * 1100, "[" * 1100 + "]" * 1100,
    "question=Who%3F&context=Ada", "<html>", "Who wrote it?", "undefined", "None", "True",
    "[NaN,Infinity,-Infinity]", "{\"a\":NaN}", "[-]", "[-a]", "[1.]", "[1.e]", "[tru]", "[\"\\u00e9\\", "\u00e9", "[\u00e9]",
]
WHOLE = [
    '{"question": "Who wrote it?", "context": "Ada \\u00e9 wrote\\nit."}',
    '{"a": [1, -2.5e3, true, false, null, {"b": "c\\\\d"}], "e": ""}',
    '[\n  {"x": "\\ud83d\\ude00"},\n  [[], {}],\n  "\u00e9\U0001f600"\n]\n',
    '"a \\"quoted\\" text with \\/ and \\u0041\\uD800"',
]
PIECES = ['"', "\\", "{", "}", "[", "]", ",", ":", " ", "\n", "\\u", "\\ud83d", "0", "-", "e", ".",
          "\0", "\t", "\u00e9", "\U0001f600", "N", "null", "\ufeff"]


def damaged(generator):
    text = generator.choice(WHOLE)
    for _ in range(generator.choice([1, 1, 1, 2, 3])):
        at = generator.randrange(len(text) + 1)
        kind = generator.randrange(4)
        if kind == 0:
            text = text[:at]
        elif kind == 1:
            text = text[:at] + text[at + generator.choice([1, 1, 2, 5]):]
        elif kind == 2:
            text = text[:at] + generator.choice(PIECES) + text[at:]
        else:
            text = text[:at] + generator.choice(PIECES) + text[at + 1:]
    return text


def outcome(text):
    try:
        return type(json.loads(text)).__name__
    except Exception as error:
        return repr(error)


def main():
    assert sys.version_info[:2] == (3, 8), "needs Python 3.8"
    generator = random.Random(2020)
    texts = SPECIAL + [damaged(generator) for _ in range(500)]
    with open(OUTPUT, "w", encoding="ascii") as file:
        for text in dict.fromkeys(texts):
            line = [text, outcome(text)]
            if not any(0xD800 <= ord(c) < 0xE000 for c in text):
                line.append(json.dumps(text))
            file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
