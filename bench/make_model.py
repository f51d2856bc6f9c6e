"""A model of DistilBERT-base's shape with random weights: make_model.py TOKENIZER_DIR OUT_DIR.

Times do not depend on the weights; these are the same on every run. The tokenizer's files are
those of TOKENIZER_DIR.
"""
import os
import shutil
import sys

import torch
import transformers

FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "vocab.txt")


def main(tokenizer_dir: str, out_dir: str) -> None:
    torch.manual_seed(1)
    config = transformers.DistilBertConfig()  # 6 layers of 768, 12 heads, inner size 3072
    model = transformers.DistilBertForQuestionAnswering(config).eval()
    model.save_pretrained(out_dir)
    for name in FILES:
        shutil.copy(os.path.join(tokenizer_dir, name), out_dir)


if __name__ == "__main__":
    main(*sys.argv[1:])
