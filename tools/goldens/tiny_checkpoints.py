"""Makes tests/model/data/tiny/: small random BERT and DistilBERT checkpoints with their logits.

Run from the root of the repository, in the environment of tools/goldens/setup:
    .venv-goldens/bin/python tools/goldens/tiny_checkpoints.py

Each directory NAME is a model in Hugging Face's layout, written by transformers 5.2.0 and, where the
name says so, changed afterwards (names of tensors, names of fields in config.json). Beside it lies
    goldens.json   {"float64_gap": g, "inputs": [{"input_ids": [...], "token_type_ids": [...],
                    "start": [...], "end": [...]}, ...]}
with one entry a token in each array; token_type_ids is absent for DistilBERT. `start` and `end` are
the logits of torch in float32 on the CPU; g is the largest difference between those and the same in
float64, so what an exact program may differ by. The last input is also given as question + context.

Weights are scaled so that attention is far from uniform, activations are used well beyond +-3 and
logits vary by several units between tokens; a mistake anywhere then shows in the logits. All is drawn
from numpy generators seeded with the checkpoint's number.
"""
import json
import math
import os
import shutil

import numpy
import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, decoders
from transformers import (AutoModelForQuestionAnswering, AutoTokenizer, BertConfig,
                          BertForQuestionAnswering, DistilBertConfig,
                          DistilBertForQuestionAnswering)

OUTPUT = "tests/model/data/tiny"
SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = "abcdefghijklmnopqrstuvwxyz"
QUESTION = "who wrote the notes?"
CONTEXT = "Ada wrote the notes in 1843, and Charles built it."

# family, config, options of `write`. h / heads gives head sizes that are multiples of 16 and not.
CHECKPOINTS = {
    "bert_gelu": ("bert", dict(
        h=16, heads=4, i=40, layers=2, positions=64, act="gelu"), {}),
    "bert_gelu_new_head12_chunked": ("bert", dict(
        h=24, heads=2, i=30, layers=2, positions=40, act="gelu_new",
        chunk_size_feed_forward=1), {}),
    "bert_gelu_fast_head20_three_layers": ("bert", dict(
        h=20, heads=1, i=27, layers=3, positions=32, act="gelu_fast"), {}),
    "bert_quick_gelu_three_types": ("bert", dict(
        h=32, heads=2, i=41, layers=1, positions=40, act="quick_gelu", types=3), {}),
    "bert_relu_one_type": ("bert", dict(
        h=12, heads=3, i=16, layers=3, positions=64, act="relu", types=1), {}),
    "bert_silu_sharded": ("bert", dict(
        h=28, heads=2, i=21, layers=1, positions=32, act="silu"), dict(shard="12KB")),
    "bert_tanh_f16": ("bert", dict(
        h=48, heads=3, i=31, layers=1, positions=40, act="tanh"), dict(dtype=torch.float16)),
    "bert_swish_bf16": ("bert", dict(
        h=44, heads=4, i=64, layers=1, positions=40, act="swish"), dict(dtype=torch.bfloat16)),
    "bert_gelu_python_large_eps": ("bert", dict(
        h=20, heads=5, i=30, layers=2, positions=32, act="gelu_python", eps=1e-3),
        dict(flat=True)),
    "bert_gelu_accurate_bare_names": ("bert", dict(
        h=16, heads=2, i=24, layers=2, positions=32, act="gelu_accurate"),
        dict(rename=lambda name: name.removeprefix("bert."))),
    "bert_gelu_python_tanh_module_prefix": ("bert", dict(
        h=24, heads=4, i=18, layers=2, positions=32, act="gelu_python_tanh"),
        dict(rename=lambda name: "module." + name, loads=False)),
    "bert_gelu_model_prefix": ("bert", dict(
        h=12, heads=1, i=48, layers=2, positions=32, act="gelu"),
        dict(rename=lambda name: "model." + name, loads=False)),
    "bert_gelu_old_names_and_buffers": ("bert", dict(
        h=16, heads=1, i=15, layers=2, positions=32, act="gelu", eps=1e-5),
        dict(rename=lambda name: old_norm(name), buffers=True)),
    "distilbert_gelu": ("distilbert", dict(
        h=8, heads=2, i=17, layers=1, positions=128, act="gelu"), {}),
    "distilbert_relu_sinusoidal": ("distilbert", dict(
        h=36, heads=3, i=20, layers=1, positions=48, act="relu", sinusoidal=True), {}),
    "distilbert_gelu_pytorch_tanh_bf16": ("distilbert", dict(
        h=40, heads=2, i=57, layers=1, positions=40, act="gelu_pytorch_tanh"),
        dict(dtype=torch.bfloat16)),
    "distilbert_silu_f16_sharded": ("distilbert", dict(
        h=32, heads=1, i=35, layers=2, positions=40, act="silu"),
        dict(dtype=torch.float16, shard="12KB")),
    "distilbert_quick_gelu_alias_fields": ("distilbert", dict(
        h=20, heads=2, i=26, layers=2, positions=32, act="quick_gelu"),
        dict(flat=True, aliases=True)),
    "distilbert_tanh_bare_old_names": ("distilbert", dict(
        h=24, heads=3, i=40, layers=2, positions=32, act="tanh"),
        dict(rename=lambda name: old_norm(name.removeprefix("distilbert.")), buffers=True)),
}


def old_norm(name):
    """LayerNorm's parameters as in the first conversions from TensorFlow."""
    return (name.replace("LayerNorm.weight", "LayerNorm.gamma")
            .replace("LayerNorm.bias", "LayerNorm.beta"))


def vocabulary(size):
    words = SPECIALS + list(LETTERS) + ["##" + c for c in LETTERS] + list("0123456789?.,")
    words += ["##" + c for c in "0123456789"] + ["who", "wrote", "the", "notes", "in", "and", "it"]
    words += ["[unused%d]" % i for i in range(size)]
    return words[:size]


def build(family, seed, h, heads, i, layers, positions, act, types=2, eps=1e-12, sinusoidal=False,
          **other):
    """The model, with the vocabulary's size depending on the seed so that it is rarely round."""
    vocab = 118 + seed % 5
    if family == "bert":
        return BertForQuestionAnswering(BertConfig(
            vocab_size=vocab, hidden_size=h, num_hidden_layers=layers, num_attention_heads=heads,
            intermediate_size=i, hidden_act=act, max_position_embeddings=positions,
            type_vocab_size=types, layer_norm_eps=eps, **other))
    return DistilBertForQuestionAnswering(DistilBertConfig(
        vocab_size=vocab, dim=h, n_layers=layers, n_heads=heads, hidden_dim=i, activation=act,
        max_position_embeddings=positions, sinusoidal_pos_embds=sinusoidal, **other))


def standard_deviation(name, inputs):
    if "embeddings" in name:
        return 0.7
    if name.startswith("qa_outputs"):
        return 1.0  # scaled afterwards
    if any(part in name for part in ("query", "key", "q_lin", "k_lin")):
        return 1.3 / inputs ** 0.5
    return 1.5 / inputs ** 0.5


def randomize(model, generator, sinusoidal, flat):
    """New values for all parameters. `flat`: embeddings are multiples of 2^-12 close to each other,
    so that their sum is exact and its variance is about as small as epsilon can notice."""
    for name, parameter in model.named_parameters():
        shape = tuple(parameter.shape)
        if sinusoidal and "position_embeddings" in name:
            continue
        if "norm" in name.lower():
            values = generator.normal(1.0 if name.endswith("weight") else 0.0, 0.3, shape)
        elif name.endswith("bias"):
            values = generator.normal(0.0, 0.3, shape)
        elif flat and "embeddings" in name:
            values = generator.integers(-100, 101, shape) / 4096 + 0.5
        else:
            values = generator.normal(0.0, standard_deviation(name, shape[-1]), shape)
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(values.astype(numpy.float32)))


def scale_head(model, generator):
    """Scales the head by a power of two until logits differ by 4 or more within 16 tokens."""
    ids = generator.integers(0, model.config.vocab_size, 16).tolist()
    found = logits(model, ids, None)
    spread = (found.amax(dim=1) - found.amin(dim=1)).min().item()
    with torch.no_grad():
        model.qa_outputs.weight.mul_(2.0 ** math.ceil(math.log2(4 / spread)))


def tokenizer_files(directory, family, vocab, positions, types):
    words = vocabulary(vocab)
    with open(f"{directory}/vocab.txt", "w") as file:
        file.write("".join(word + "\n" for word in words))
    tokenizer = Tokenizer(models.WordPiece({word: i for i, word in enumerate(words)},
                                           unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    context = min(1, types - 1)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair=f"[CLS]:0 $A:0 [SEP]:0 $B:{context} [SEP]:{context}",
        special_tokens=[("[CLS]", words.index("[CLS]")), ("[SEP]", words.index("[SEP]"))])
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    tokenizer.add_special_tokens(SPECIALS)
    tokenizer.save(f"{directory}/tokenizer.json", pretty=False)
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    if family == "distilbert" or types == 1:
        inputs.remove("token_type_ids")
    write_json(f"{directory}/tokenizer_config.json", {
        "tokenizer_class": "BertTokenizer" if family == "bert" else "DistilBertTokenizer",
        "do_lower_case": True, "model_max_length": positions, "model_input_names": inputs,
        "cls_token": "[CLS]", "mask_token": "[MASK]", "pad_token": "[PAD]", "sep_token": "[SEP]",
        "unk_token": "[UNK]"})


def write_json(path, value):
    with open(path, "w") as file:
        json.dump(value, file, indent=1)
        file.write("\n")


def change_names(directory, rename, buffers, model, generator):
    """Rewrites model.safetensors under other names, with what old checkpoints carry besides."""
    path = f"{directory}/model.safetensors"
    tensors = {rename(name): tensor for name, tensor in load_file(path).items()}
    if buffers:
        config = model.config
        word = next(name for name in tensors if name.endswith("word_embeddings.weight"))
        base = word.removesuffix("embeddings.word_embeddings.weight")
        positions = torch.arange(config.max_position_embeddings).expand((1, -1)).contiguous()
        tensors[base + "embeddings.position_ids"] = positions
        if config.model_type == "bert":
            h = config.hidden_size
            tensors[base + "embeddings.token_type_ids"] = torch.zeros_like(positions)
            for part, shape in (("weight", (h, h)), ("bias", (h,))):
                values = generator.normal(0.0, 1.0, shape).astype(numpy.float32)
                tensors[base + "pooler.dense." + part] = torch.from_numpy(values)
    save_file(tensors, path, metadata={"format": "pt"})


def use_alias_fields(directory):
    """config.json as some tools write it for DistilBERT: BERT's names, which transformers maps."""
    path = f"{directory}/config.json"
    with open(path) as file:
        config = json.load(file)
    for own, alias in (("dim", "hidden_size"), ("n_layers", "num_hidden_layers"),
                       ("n_heads", "num_attention_heads")):
        config[alias] = config.pop(own)
    write_json(path, config)


def logits(model, ids, types):
    arguments = {"input_ids": torch.tensor([ids])}
    if types is not None:
        arguments["token_type_ids"] = torch.tensor([types])
    with torch.no_grad():
        output = model(**arguments)
    return torch.stack([output.start_logits[0], output.end_logits[0]])


def inputs_of(model, tokenizer, generator):
    config = model.config
    positions = config.max_position_embeddings
    bert = config.model_type == "bert"
    for length in (1, 2, 3, 9, 16, 17, positions):
        ids = generator.integers(0, config.vocab_size, length).tolist()
        yield ids, generator.integers(0, config.type_vocab_size, length).tolist() if bert else None
    encoded = tokenizer(QUESTION, CONTEXT, truncation="only_second", max_length=positions)
    types = encoded.get("token_type_ids", [0] * len(encoded["input_ids"]))
    yield encoded["input_ids"], types if bert else None


def decimal(values):
    return [float(f"{value:.9g}") for value in values.tolist()]


def goldens(model, tokenizer, generator):
    inputs, gap, spread = [], 0.0, []
    for ids, types in inputs_of(model, tokenizer, generator):
        single = logits(model, ids, types)
        exact = logits(model.double(), ids, types)
        model.float()
        gap = max(gap, (single - exact).abs().max().item())
        if len(ids) > 8:
            spread.append((single.amax(dim=1) - single.amin(dim=1)).min().item())
        entry = {"input_ids": ids}
        if types is not None:
            entry["token_type_ids"] = types
        inputs.append(entry | {"start": decimal(single[0]), "end": decimal(single[1])})
    assert min(spread) > 1, f"logits vary too little: {spread}"
    assert gap < 1e-4, gap
    inputs[-1] |= {"question": QUESTION, "context": CONTEXT}
    return {"float64_gap": float(f"{gap:.2g}"), "inputs": inputs}


def check_reload(directory, model, golden):
    """transformers itself reads the directory to the same logits."""
    again = AutoModelForQuestionAnswering.from_pretrained(directory, dtype=torch.float32).eval()
    for entry in golden["inputs"]:
        found = logits(again, entry["input_ids"], entry.get("token_type_ids"))
        assert decimal(found[0]) == entry["start"], directory
    assert again.config.hidden_size == model.config.hidden_size


def write(seed, name, family, shape, dtype=torch.float32, shard="1GB", rename=None, buffers=False,
          flat=False, aliases=False, loads=True):
    generator = numpy.random.default_rng(seed)
    directory = f"{OUTPUT}/{name}"
    model = build(family, seed, **shape).eval()
    randomize(model, generator, shape.get("sinusoidal", False), flat)
    scale_head(model, generator)
    model.to(dtype).save_pretrained(directory, max_shard_size=shard)
    model.float()
    if rename:
        change_names(directory, rename, buffers, model, generator)
    if aliases:
        use_alias_fields(directory)
    tokenizer_files(directory, family, model.config.vocab_size, shape["positions"],
                    shape.get("types", 2))
    golden = goldens(model, AutoTokenizer.from_pretrained(directory), generator)
    if loads:
        check_reload(directory, model, golden)
    with open(f"{directory}/goldens.json", "w") as file:
        file.write(json.dumps(golden, separators=(",", ":")).replace('{"input_ids"', '\n{"input_ids"'))
        file.write("\n")
    size = sum(entry.stat().st_size for entry in os.scandir(directory))
    print(f"{name}: {size} bytes, gap to float64 {golden['float64_gap']}")


def main():
    assert transformers.__version__ == "5.2.0", transformers.__version__
    torch.set_num_threads(1)
    shutil.rmtree(OUTPUT, ignore_errors=True)
    for seed, (name, (family, shape, options)) in enumerate(CHECKPOINTS.items()):
        write(seed, name, family, shape, **options)


if __name__ == "__main__":
    main()
