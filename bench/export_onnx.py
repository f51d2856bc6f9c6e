"""Exports the checkpoint for ONNX Runtime, as it comes and fused by onnxruntime.transformers.

usage: export_onnx.py MODEL_DIR OUT_DIR   ->   OUT_DIR/plain.onnx, OUT_DIR/fused.onnx
The attention is exported in its eager form, the one that the optimiser recognises; the script
fails unless it fused the attention and the layer norms of every layer.
"""
import os
import sys
import warnings

os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
warnings.filterwarnings("ignore")

import torch
import transformers
from onnxruntime.transformers import optimizer

transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()


class Logits(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        output = self.model(input_ids=input_ids, attention_mask=attention_mask)
        return output.start_logits, output.end_logits


def main(model_dir: str, out_dir: str) -> None:
    os.makedirs(out_dir, exist_ok=True)
    model = transformers.AutoModelForQuestionAnswering.from_pretrained(
        model_dir, dtype=torch.float32, attn_implementation="eager").eval()
    ids = torch.randint(1000, 2000, (2, 16))
    names = ["input_ids", "attention_mask", "start", "end"]
    plain, fused = os.path.join(out_dir, "plain.onnx"), os.path.join(out_dir, "fused.onnx")
    torch.onnx.export(
        Logits(model), (ids, torch.ones_like(ids)), plain, input_names=names[:2],
        output_names=names[2:], dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names},
        opset_version=17, dynamo=False)
    config = model.config
    heads = config.num_attention_heads
    optimized = optimizer.optimize_model(
        plain, model_type="bert", num_heads=heads, hidden_size=config.hidden_size, opt_level=0)
    fusions = optimized.get_fused_operator_statistics()
    layers = config.num_hidden_layers
    if fusions["Attention"] != layers or fusions["SkipLayerNormalization"] != 2 * layers:
        raise SystemExit(f"export_onnx: not every layer was fused: {fusions}")
    optimized.save_model_to_file(fused)


if __name__ == "__main__":
    main(*sys.argv[1:])
