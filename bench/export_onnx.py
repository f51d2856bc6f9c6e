"""Exports the checkpoint for ONNX Runtime and OpenVINO, in fp32 and in int8.

usage: export_onnx.py MODEL_DIR OUT_DIR PAIRS.tsv
  plain.onnx        as torch.onnx.export makes it
  fused.onnx        fused by onnxruntime.transformers.optimizer
  fused-int8.onnx   fused.onnx by quantize_dynamic, per channel; QAttention has the attention
  mha-int8.onnx     fused to MultiHeadAttention, then the same
  ov-fp32.xml       plain.onnx for OpenVINO
  ov-int8.xml       by NNCF's post-training quantisation, calibrated on the lines of PAIRS.tsv,
                    "question<tab>context"
The attention is exported in its eager form, the one that the optimiser recognises; the script
fails unless it fused the attention and the layer norms of every layer.
"""
import os
import sys
import warnings

os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
warnings.filterwarnings("ignore")

import nncf
import numpy as np
import onnx
import openvino
import tokenizers
import torch
import transformers
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from onnxruntime.transformers.fusion_options import FusionOptions

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()


class Logits(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        output = self.model(input_ids=input_ids, attention_mask=attention_mask)
        return output.start_logits, output.end_logits


def export_plain(model, path: str) -> None:
    ids = torch.randint(1000, 2000, (2, 16))
    names = ["input_ids", "attention_mask", "start", "end"]
    torch.onnx.export(
        Logits(model), (ids, torch.ones_like(ids)), path, input_names=names[:2],
        output_names=names[2:], dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names},
        opset_version=17, dynamo=False)


def fuse(plain: str, out: str, config, attention: str) -> None:
    """attention: the operator that each layer's attention becomes."""
    options = FusionOptions("bert")
    options.use_multi_head_attention = attention == "MultiHeadAttention"
    optimized = optimizer.optimize_model(
        plain, model_type="bert", num_heads=config.num_attention_heads,
        hidden_size=config.hidden_size, optimization_options=options, opt_level=0)
    operators = [node.op_type for node in optimized.model.graph.node]
    layers = config.num_hidden_layers
    norms = operators.count("SkipLayerNormalization")
    if operators.count(attention) != layers or norms != 2 * layers:
        raise SystemExit(f"export_onnx: not every layer was fused: {sorted(set(operators))}")
    optimized.save_model_to_file(out)


def quantize_onnx(source: str, out: str) -> None:
    # Type inference does not know the fused operators.
    quantize_dynamic(source, out, per_channel=True, weight_type=QuantType.QInt8,
                     extra_options={"DefaultTensorType": onnx.TensorProto.FLOAT})


def calibration(model_dir: str, path: str) -> list[dict]:
    tokenizer = tokenizers.Tokenizer.from_file(os.path.join(model_dir, "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(384, strategy="only_second")
    with open(path, encoding="utf-8") as file:
        pairs = [tuple(line.rstrip("\n").split("\t")) for line in file]
    rows = [np.array([encoding.ids]) for encoding in tokenizer.encode_batch(pairs)]
    return [{"input_ids": ids, "attention_mask": np.ones_like(ids)} for ids in rows]


def export_openvino(plain: str, out_dir: str, samples: list[dict]) -> None:
    model = openvino.convert_model(plain)
    openvino.save_model(model, os.path.join(out_dir, "ov-fp32.xml"), compress_to_fp16=False)
    model = nncf.quantize(model, nncf.Dataset(samples), subset_size=len(samples),
                          model_type=nncf.ModelType.TRANSFORMER)
    openvino.save_model(model, os.path.join(out_dir, "ov-int8.xml"), compress_to_fp16=False)


def main(model_dir: str, out_dir: str, pairs: str) -> None:
    os.makedirs(out_dir, exist_ok=True)
    model = transformers.AutoModelForQuestionAnswering.from_pretrained(
        model_dir, dtype=torch.float32, attn_implementation="eager").eval()
    plain, fused, mha, fused_int8, mha_int8 = (
        os.path.join(out_dir, name + ".onnx")
        for name in ("plain", "fused", "mha", "fused-int8", "mha-int8"))
    export_plain(model, plain)
    fuse(plain, fused, model.config, "Attention")
    fuse(plain, mha, model.config, "MultiHeadAttention")
    quantize_onnx(fused, fused_int8)
    quantize_onnx(mha, mha_int8)
    export_openvino(plain, out_dir, calibration(model_dir, pairs))


if __name__ == "__main__":
    main(*sys.argv[1:])
