"""Compares `lambert eval` with transformers 5.2.0: predictions, and the SQuAD figures made of them.

Run from the root of the repository, in an environment with torch and transformers==5.2.0:
    python tools/goldens/eval_parity.py --lambert build/lambert --data ../shared/data

For the first --limit questions of SQuAD v1.1 dev and of v2.0 dev (handle_impossible_answer=True)
pipeline("question-answering") answers in float32, on one thread, all else by default; its exact
match and F1 are those of transformers.data.metrics.squad_metrics. `lambert eval --predictions` does
the same questions. Fails when
  - exact match or F1 of the two engines differ by more than 0.05 percentage points, or
  - Lambert's own figures are not those that squad_metrics gives for Lambert's predictions.
"""
import argparse
import json
import lzma
import os
import subprocess
import sys
import tempfile

import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer, pipeline
from transformers.data.metrics.squad_metrics import squad_evaluate
from transformers.data.processors.squad import SquadExample

MODEL = "models/distilbert-minilm-squad"
ALLOWED = 0.05  # percentage points
ROUNDING = 1e-9


def read_data(directory, version):
    with lzma.open(os.path.join(directory, f"squad-dev-v{version}.json.xz"), "rt") as file:
        return json.load(file)


def read_examples(data, limit):
    examples = []
    for article in data["data"]:
        for paragraph in article["paragraphs"]:
            for qa in paragraph["qas"]:
                examples.append(SquadExample(
                    qas_id=qa["id"], question_text=qa["question"],
                    context_text=paragraph["context"], answer_text=None,
                    start_position_character=None, title=article["title"],
                    answers=qa["answers"], is_impossible=qa.get("is_impossible", False)))
    return examples[:limit]


def pipeline_predictions(examples, impossible):
    torch.set_num_threads(1)
    model = AutoModelForQuestionAnswering.from_pretrained(MODEL, dtype=torch.float32)
    answerer = pipeline("question-answering", model=model,
                        tokenizer=AutoTokenizer.from_pretrained(MODEL))
    predictions = {}
    for example in examples:
        found = answerer(question=example.question_text, context=example.context_text, top_k=1,
                         handle_impossible_answer=impossible)
        first = found if isinstance(found, dict) else (found or [{"answer": ""}])[0]
        predictions[example.qas_id] = first["answer"]
    return predictions


def lambert_predictions(program, data, limit):
    """(predictions, the figures that lambert eval printed)"""
    with tempfile.TemporaryDirectory() as directory:
        questions = os.path.join(directory, "questions.json")
        predictions = os.path.join(directory, "predictions.json")
        with open(questions, "w") as file:
            json.dump(data, file)
        done = subprocess.run(
            [program, "eval", questions, "--model", MODEL, "--json", "--limit", str(limit),
             "--predictions", predictions], check=True, capture_output=True, text=True)
        with open(predictions) as file:
            return json.load(file), json.loads(done.stdout)


def compare(version, options):
    """Prints the figures of one data set; returns whether they agree."""
    data = read_data(options.data, version)
    examples = read_examples(data, options.limit)
    theirs = pipeline_predictions(examples, impossible=version == "2.0")
    ours, printed = lambert_predictions(options.lambert, data, options.limit)
    their_figures = squad_evaluate(examples, theirs)
    our_figures = squad_evaluate(examples, ours)
    print(f"SQuAD v{version} dev, first {len(examples)} questions")
    good = ours.keys() == theirs.keys()
    for name, printed_name in (("exact", "exact_match"), ("f1", "f1")):
        print(f"  {name:5}  transformers {their_figures[name]:.6f}  lambert eval "
              f"{printed[printed_name]:.6f}  squad_metrics of Lambert's predictions "
              f"{our_figures[name]:.6f}")
        good &= abs(their_figures[name] - printed[printed_name]) <= ALLOWED
        good &= abs(our_figures[name] - printed[printed_name]) <= ROUNDING
    differing = [key for key in theirs if theirs[key] != ours.get(key)]
    print(f"  differing predictions: {len(differing)}")
    for key in differing[:10]:
        print(f"    {key}: transformers {theirs[key]!r}, Lambert {ours.get(key)!r}")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--lambert", default="build/lambert", help="the program")
    parser.add_argument("--data", default="../shared/data", help="where squad-dev-v*.json.xz are")
    parser.add_argument("--limit", type=int, default=500, help="questions of each data set")
    options = parser.parse_args()
    good = [compare(version, options) for version in ("1.1", "2.0")]
    sys.exit(0 if all(good) else "the figures do not agree")


if __name__ == "__main__":
    main()
