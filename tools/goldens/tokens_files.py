#!/usr/bin/env python3
"""Makes tests/text/data/files.json: how transformers 5.2.0 reads a model's tokenizer files.

Each case is a set of small files, and what AutoTokenizer makes of them: the tokens of some texts,
the pair template as it comes out for a question and a context, cls_token_id, model_max_length.

    pip install transformers==5.2.0
    tools/goldens/tokens_files.py
"""
import itertools
import json
import logging
import pathlib
import tempfile

from transformers import AutoTokenizer
from transformers.utils import logging as transformers_logging

TARGET = pathlib.Path(__file__).parents[2] / "tests" / "text" / "data" / "files.json"

VOCAB = (["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "<s>", "</s>"]
         + list("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,!?-[]<>/#é中文ü")
         + ["##" + c for c in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789é中文ü"]
         + ["hello", "world", "##ing", "Hello", "new", "tok"])
TEXTS = [
    "Hello WORLD héllo", "H\u00c9 e\u0301 中文a \u200bx\u0085y", "a[SEP]b [sep] [MASK]c [CLS]",
    "x <new> y<NEW>z New York newyork", "tok tokx xtok  tok  [X1]  a", "foo  [MASK]  bar [PAD][UNK]",
    "<s> a </s> \u00dc u\u0308", "", "..",
]
QUESTION, CONTEXT = "Hello?", "new world."

TEMPLATE = {
    "type": "TemplateProcessing",
    "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
             {"SpecialToken": {"id": "DOUBLE", "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 0}},
             {"SpecialToken": {"id": "[CLS]", "type_id": 1}}],
    "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]},
                       "DOUBLE": {"id": "DOUBLE", "ids": [3, 4], "tokens": ["[SEP]", "[MASK]"]}},
}
BERT_PROCESSING = {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]}


def added(token_id, content, **flags):
    token = dict(id=token_id, content=content, single_word=False, lstrip=False, rstrip=False,
                 normalized=False, special=True)
    token.update(flags)
    return token


USUAL = [added(i, VOCAB[i]) for i in range(5)]
OWN = [added(900, "<new>", normalized=True, special=False),
       added(901, "[X1]", lstrip=True, rstrip=True),
       added(902, "tok", single_word=True, special=False),
       added(903, "New York", normalized=True, special=False, lstrip=True, rstrip=True)]


def tokenizer_json(lowercase=True, strip_accents=None, chinese=True, clean=True, processor=TEMPLATE,
                   tokens=USUAL, normalizer=True, max_chars=100):
    bert = {"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": chinese,
            "strip_accents": strip_accents, "lowercase": lowercase}
    return json.dumps({
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": tokens,
        "normalizer": bert if normalizer is True else normalizer,
        "pre_tokenizer": {"type": "BertPreTokenizer"}, "post_processor": processor,
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                  "max_input_chars_per_word": max_chars,
                  "vocab": {token: i for i, token in enumerate(VOCAB)}}})


VOCAB_TXT = "\n".join(VOCAB) + "\n"


def cases():
    """(name, {file: text})"""
    classes = [None, "BertTokenizer", "BertTokenizerFast", "DistilBertTokenizer",
               "DistilBertTokenizerFast", "ElectraTokenizer", "PreTrainedTokenizerFast",
               "TokenizersBackend"]
    settings = [{}, {"do_lower_case": True}, {"do_lower_case": False},
                {"do_lower_case": True, "strip_accents": False},
                {"do_lower_case": False, "strip_accents": True, "tokenize_chinese_chars": False}]
    for name, setting in itertools.product(classes, settings):
        config = json.dumps(setting | ({"tokenizer_class": name} if name else {}))
        yield f"json {name} {setting}", {"tokenizer.json": tokenizer_json(),
                                         "tokenizer_config.json": config}
        if name not in ("PreTrainedTokenizerFast", "TokenizersBackend"):
            yield f"vocab.txt {name} {setting}", {"vocab.txt": VOCAB_TXT,
                                                  "tokenizer_config.json": config}
    yield "json alone", {"tokenizer.json": tokenizer_json()}
    yield "vocab.txt alone", {"vocab.txt": VOCAB_TXT}
    yield from json_cases()
    yield from config_cases()
    yield from older_cases()
    yield from vocab_cases()


def json_cases():
    as_it_stands = json.dumps({"tokenizer_class": "DistilBertTokenizer", "cls_token": "[CLS]"})
    for lowercase, strip in itertools.product([True, False], [None, True, False]):
        for chinese, clean in [(True, True), (False, True), (True, False)]:
            yield (f"normalizer {lowercase} {strip} {chinese} {clean}",
                   {"tokenizer.json": tokenizer_json(lowercase, strip, chinese, clean),
                    "tokenizer_config.json": as_it_stands})
    for name, normalizer in [("none", None), ("Lowercase", {"type": "Lowercase"}),
                             ("Sequence", {"type": "Sequence", "normalizers": [{"type": "Lowercase"}]})]:
        yield f"normalizer {name}", {"tokenizer.json": tokenizer_json(normalizer=normalizer, tokens=USUAL + OWN),
                                     "tokenizer_config.json": as_it_stands}
    for name, processor in [("BertProcessing", BERT_PROCESSING), ("none", None)]:
        yield f"post_processor {name}", {"tokenizer.json": tokenizer_json(processor=processor),
                                         "tokenizer_config.json": as_it_stands}
    for lowercase in [True, False]:
        files = {"tokenizer.json": tokenizer_json(lowercase, tokens=USUAL + OWN)}
        yield f"added tokens {lowercase}", files | {"tokenizer_config.json": as_it_stands}
        yield f"added tokens, rebuilt {lowercase}", files
    yield "three characters", {"tokenizer.json": tokenizer_json(max_chars=3),
                               "tokenizer_config.json": as_it_stands}
    yield "three characters, rebuilt", {"tokenizer.json": tokenizer_json(max_chars=3)}


def config_cases():
    for name in ["BertTokenizer", "DistilBertTokenizer"]:
        for label, config in {
            "decoder": {"added_tokens_decoder": {
                "5": added(0, "<s>", special=False, normalized=True), "901": added(0, "[X1]", lstrip=True),
                "900": added(0, "<new>", special=False, normalized=True)}},
            "decoder changes a flag": {"added_tokens_decoder": {
                "4": added(0, "[MASK]", lstrip=True, rstrip=True, special=False)}, "mask_token": "[MASK]"},
            "split special tokens": {"split_special_tokens": True},
            "own specials": {"cls_token": "<s>", "sep_token": "</s>", "unk_token": "[UNK]"},
            "specials as objects": {
                "mask_token": {"__type": "AddedToken", "content": "[MASK]", "lstrip": True, "rstrip": False,
                               "normalized": False, "single_word": False},
                "cls_token": {"__type": "AddedToken", "content": "tok", "lstrip": False, "rstrip": False,
                              "normalized": True, "single_word": True}},
            "new specials": {"bos_token": "<new>", "eos_token": "[X1]"},
            "additional": {"additional_special_tokens": ["<new>", "[X1]"]},
            "extra": {"extra_special_tokens": ["[X1]"], "additional_special_tokens": ["<new>"]},
            "named extra": {"extra_special_tokens": {"own_token": "<new>"}, "other_token": "[X1]"},
            "null tokens": {"mask_token": None, "pad_token": None, "bos_token": None},
            "with types": {"model_input_names": ["input_ids", "token_type_ids", "attention_mask"]},
            "without types": {"model_input_names": ["input_ids", "attention_mask"]},
            "length 512": {"model_max_length": 512}, "length 1e30": {"model_max_length": 1e30},
            "length big": {"model_max_length": 1000000000000000019884624838656},
            "length 128.0": {"model_max_length": 128.0}, "max_len": {"max_len": 77},
        }.items():
            for own in [False, True]:
                for token in config.get("added_tokens_decoder", {}).values():
                    token.pop("id", None)
                yield (f"{label} {name} {own}",
                       {"tokenizer.json": tokenizer_json(tokens=USUAL + OWN if own else USUAL),
                        "tokenizer_config.json": json.dumps({"tokenizer_class": name} | config)})
            yield (f"{label} {name} vocab.txt",
                   {"vocab.txt": VOCAB_TXT,
                    "tokenizer_config.json": json.dumps({"tokenizer_class": name} | config)})


def older_cases():
    special = json.dumps({
        "cls_token": "<s>", "sep_token": {"content": "</s>", "lstrip": False, "rstrip": False,
                                          "normalized": False, "single_word": False},
        "mask_token": {"content": "[MASK]", "lstrip": True, "rstrip": False, "normalized": True,
                       "single_word": False},
        "additional_special_tokens": ["<new>"], "own_token": "[X1]"})
    added_tokens = json.dumps({"<new>": 150, "[X1]": 151, "tok": 7, "</s>": 6})
    for name in ["BertTokenizer", "DistilBertTokenizer"]:
        config = json.dumps({"tokenizer_class": name, "do_lower_case": True, "unk_token": "[UNK]"})
        decoder = json.dumps({"tokenizer_class": name, "added_tokens_decoder": {}})
        for first in [{"tokenizer.json": tokenizer_json()}, {"vocab.txt": VOCAB_TXT},
                      {"tokenizer.json": tokenizer_json(tokens=USUAL + OWN)}]:
            for more in [{"special_tokens_map.json": special}, {"added_tokens.json": added_tokens},
                         {"special_tokens_map.json": special, "added_tokens.json": added_tokens}]:
                for setting in [config, decoder]:
                    yield (f"older {name} {sorted(more)}",
                           first | more | {"tokenizer_config.json": setting})


def vocab_cases():
    config = {"tokenizer_config.json": json.dumps({"tokenizer_class": "DistilBertTokenizer"})}
    yield "CRLF", {"vocab.txt": VOCAB_TXT.replace("\n", "\r\n")} | config
    yield "no newline at the end", {"vocab.txt": VOCAB_TXT[:-1]} | config
    yield "trailing whitespace", {"vocab.txt": VOCAB_TXT.replace("hello\n", "hello \t\u3000\n")} | config
    yield "tokens twice", {"vocab.txt": VOCAB_TXT + "hello\na\n\n\nworld\n"} | config
    yield "empty lines", {"vocab.txt": "\n" + VOCAB_TXT.replace("x\n", "x\n\n")} | config
    yield "leading space", {"vocab.txt": VOCAB_TXT + " led\n"} | config


def expected(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    texts = []
    for text in TEXTS:
        coded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        texts.append([coded.input_ids, [list(o) for o in coded.offset_mapping], coded.word_ids()])
    pair = tokenizer(QUESTION, CONTEXT, return_token_type_ids=True)
    types = pair.token_type_ids
    if "token_type_ids" not in tokenizer.model_input_names:  # the pipeline passes none
        types = [0] * len(types)
    length = tokenizer.model_max_length
    return {"texts": texts, "pair_ids": pair.input_ids, "pair_types": types,
            "cls_id": tokenizer.cls_token_id, "max_length": None if length > 1e9 else int(length)}


def main():
    transformers_logging.set_verbosity_error()
    logging.disable(logging.WARNING)
    pool, out = [], []
    for name, files in cases():
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            (path / "config.json").write_text('{"model_type": "distilbert"}')
            for file, text in files.items():
                (path / file).write_bytes(text.encode())
            result = expected(folder)
        for text in files.values():
            if text not in pool:
                pool.append(text)
        out.append({"name": name, "files": {f: pool.index(t) for f, t in files.items()}} | result)
    golden = {"question": QUESTION, "context": CONTEXT, "texts": TEXTS, "pool": pool, "cases": out}
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps(golden, separators=(",", ":")) + "\n")
    print(len(out), "cases,", TARGET.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
