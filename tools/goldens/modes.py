"""Makes tests/qa/data/squad.jsonl and calibrated.jsonl: answers of the reference code of two modes.

Run from the root of the repository, with torch, transformers==5.2.0 and haystack-ai==2.20.0:
    python tools/goldens/modes.py --data ../shared/data --cache DIR --utils-qa utils_qa.py
utils_qa.py is that of transformers' examples/pytorch/question-answering; it is run, not copied.
The fields of a line are those of pipeline.py, and "no": the score of no answer.

Mode squad. The script sees the logits that Lambert computes: those of the question and of
separators, which Lambert does not, are far below all others. How often this changes the script's
answer is printed. Left out as ties: two rows or pairs at the border of the n best, or the
difference to the null score and the threshold, closer than 1e-4.

Mode calibrated. Left out as ties: an answer within 1e-5 of another span that it overlaps, or of the
last of a window's 20 spans.

In both, answers are kept up to the last place where the next score is at least 1e-5 lower.
"""
import argparse
import importlib.util
import json
import random

import numpy as np
import pipeline as hf

NOT_COMPUTED = -1e9
LOGIT_GAP = 1e-4
QUESTIONS = 170   # of each mode and dev set


class Slice(str):
    """Text that remembers from where it was cut."""


class Sliceable(str):
    def __getitem__(self, key):
        text = Slice(str.__getitem__(self, key))
        text.place = (key.start, key.stop)
        return text


class Script:
    """postprocess_qa_predictions, with the n best that it writes to a file."""

    def __init__(self, path):
        spec = importlib.util.spec_from_file_location("utils_qa", path)
        self.module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(self.module)
        self.module.tqdm = lambda items: items
        self.module.json = self
        self.module.open = lambda *_: self
        self.written = []

    def dumps(self, value, **_):
        self.written.append(value)
        return ""

    def write(self, _):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def __call__(self, windows, context, parameters, masked):
        features, starts, ends = [], [], []
        for window in windows:
            encoding = window["encoding"]
            offsets = [o if s == 1 else None for o, s in zip(encoding.offsets, encoding.sequence_ids)]
            features.append({"example_id": "x", "offset_mapping": offsets})
            kept = np.array([o is not None for o in offsets])
            kept[0] = True
            for logits, rows in ((window["start"], starts), (window["end"], ends)):
                row = logits[0].numpy()
                rows.append(np.where(kept, row, np.float32(NOT_COMPUTED)) if masked else row)
        self.rows = starts + ends
        self.written.clear()
        examples = Examples(context)
        best = self.module.postprocess_qa_predictions(
            examples, features, (starts, ends), output_dir=".",
            version_2_with_negative=parameters.get("handle_impossible_answer", False),
            n_best_size=parameters.get("n_best_size", 20),
            max_answer_length=parameters.get("max_answer_len", 30),
            null_score_diff_threshold=parameters.get("null_score_diff_threshold", 0.0))
        return best["x"], self.written[1]["x"]


class Examples(list):
    def __init__(self, context):
        super().__init__([{"id": "x", "context": Sliceable(context)}])

    def __getitem__(self, key):
        return ["x"] if key == "id" else super().__getitem__(key)


def leading(scores, limit, end=0.0):
    """The last place up to `limit` where the next score is at least 1e-5 lower; `end` follows."""
    scores = scores + [end]
    return max(n for n in range(limit + 1) if n == 0 or scores[n - 1] - scores[n] >= hf.GAP)


def squad_line(script, oracle, squad, case):
    """The golden line, None for a tie; and whether logits that are not computed change the answer."""
    question, context = squad.texts(case)
    parameters = case["p"]
    windows = oracle.windows(question, context, parameters)
    best, predictions = script(windows, context, parameters, masked=True)
    n_best = parameters.get("n_best_size", 20)
    for row in script.rows:
        ordered = np.sort(row)[::-1]
        if len(ordered) > n_best and ordered[n_best - 1] - ordered[n_best] < LOGIT_GAP:
            return None, False
    if any(not isinstance(p["text"], Slice) for p in predictions):
        return None, False  # the made-up answer "empty"
    changed = script(windows, context, parameters, masked=False)[0] != best
    null = None
    if parameters.get("handle_impossible_answer", False):
        null = next(p for p in predictions if p["text"] == "")
        first = next(p for p in predictions if p["text"] != "")
        difference = (null["start_logit"] + null["end_logit"]) - (
            first["start_logit"] + first["end_logit"])
        if abs(difference - parameters.get("null_score_diff_threshold", 0.0)) < LOGIT_GAP:
            return None, changed
        choice = null if best == "" else first
        predictions.remove(choice)
        predictions.insert(0, choice)
    assert predictions[0]["text"] == best
    answers = [[str(p["text"]), round(p["probability"], 8), *p["text"].place] for p in predictions]
    rest = [a[1] for a in answers[1:]]  # sorted, which the first, chosen by the threshold, is not
    limit = min(parameters.get("top_k", 1), len(answers))
    # Of a full list the next prediction is unknown: it may be as good as the last.
    end = rest[-1] if rest and len(predictions) >= n_best else 0.0
    if null is None:
        count = leading([a[1] for a in answers], limit, end)
    else:
        count = 1 + leading(rest, limit - 1, end)
    if count == 0:
        return None, changed
    line = {**case, "a": answers[:count]}
    if null is not None:
        line["no"] = round(null["probability"], 8)
    return line, changed


class Reader:
    """ExtractiveReader over the logits of the oracle's model."""

    def __init__(self, oracle):
        from haystack import Document
        from haystack.components.readers import ExtractiveReader
        from haystack.utils import ComponentDevice
        self.document = Document
        self.reader = ExtractiveReader(model=hf.MODEL)
        self.reader.model, self.reader.tokenizer = oracle.pipe.model, oracle.tokenizer
        self.reader.device = ComponentDevice.from_str("cpu")
        self.nest = self.reader._nest_answers
        self.reader._nest_answers = self.keep_candidates

    def keep_candidates(self, **arguments):
        windows = zip(arguments["start"], arguments["end"], arguments["probabilities"])
        self.windows = [[(s, e, p.item()) for s, e, p in zip(*window)] for window in windows]
        return self.nest(**arguments)

    def __call__(self, question, context, parameters):
        return self.reader.run(
            query=question, documents=[self.document(content=context)],
            top_k=parameters.get("top_k", 1), score_threshold=parameters.get("score_threshold"),
            max_seq_length=parameters.get("max_seq_len"), stride=parameters.get("doc_stride"),
            no_answer=True)["answers"]


def is_toss_up(answer, windows):
    _, score, start, end = answer
    for window in windows:
        if len(window) == 20 and score <= window[-1][2] + hf.GAP:
            return True
        for other_start, other_end, other in window:
            if ((other_start, other_end) != (start, end) and abs(other - score) < hf.GAP
                    and other_start < end and start < other_end):
                return True
    return False


def calibrated_line(reader, squad, case):
    question, context = squad.texts(case)
    parameters = case["p"]
    found = reader(question, context, {k: v for k, v in parameters.items() if k != "score_threshold"})
    no_answer = next(a.score for a in found if a.data is None)
    answers = [[a.data or "", round(a.score, 8),
                *((a.document_offset.start, a.document_offset.end) if a.data else (0, 0))]
               for a in found]
    spans = [a for a in answers if a[0]]
    if any(is_toss_up(a, reader.windows) for a in spans):
        return None
    if not parameters.get("handle_impossible_answer", False):
        answers = spans
    if "score_threshold" in parameters:
        kept = reader(question, context, parameters)
        assert len(kept) == sum(a.score >= parameters["score_threshold"] for a in found)
        if any(abs(a[1] - parameters["score_threshold"]) < hf.GAP for a in answers):
            return None
        answers = [a for a in answers if a[1] >= parameters["score_threshold"]]
    scores = [a[1] for a in answers]
    count = leading(scores, min(parameters.get("top_k", 1), len(scores)))
    if answers and count == 0:
        return None
    return {**case, "a": answers[:count], "no": round(no_answer, 8)}


def pick(rng, choices):
    drawn = {name: rng.choice(values) for name, values in choices.items()}
    return {name: value for name, value in drawn.items() if value is not None}


def draw_cases(squad, rng, choices):
    cases = []
    for version in ("1.1", "2.0"):
        names = list(squad.questions[version])
        for name in rng.sample(names, QUESTIONS):
            cases.append({"id": name, "file": version, "p": pick(rng, choices)})
    for question, context in hf.ODD:
        cases.append({"q": question, "c": context, "p": pick(rng, choices)})
    for number, case in enumerate(cases):
        if number % 4 == 0:
            case["p"] = hf.with_shape(case["p"], rng.choice([(64, 16), (96, 32), (128, 64),
                                                             (128, 100), (256, 128), (512, 128)]))
    for count in (8, 12, 20):
        first = rng.randrange(len(squad.paragraphs) - count)
        inside = [i for i, p in squad.first_paragraph.items() if first <= p < first + count]
        cases.append({"id": rng.choice(inside), "file": "1.1", "doc": [first, count],
                      "p": {"top_k": 5, "handle_impossible_answer": True}})
    return cases


def write(path, lines, total):
    lines = [line for line in lines if line is not None]
    with open(path, "w") as out:
        for line in lines:
            out.write(json.dumps(line, separators=(",", ":")) + "\n")
    print(f"{path}: {len(lines)} cases, {total - len(lines)} left out as ties")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--utils-qa", required=True)
    arguments = parser.parse_args()
    squad, oracle = hf.Squad(arguments.data), hf.Oracle(arguments.cache)

    def cases_of(seed, **choices):
        # The references do not cut questions to 64 tokens.
        return [case for case in draw_cases(squad, random.Random(seed), choices)
                if hf.fits(oracle, squad.texts(case)[0], case["p"])
                and len(oracle.tokenizer(squad.texts(case)[0])["input_ids"]) <= 66]

    script = Script(arguments.utils_qa)
    cases = cases_of(1815, top_k=[None, 1, 2, 3, 5, 20], n_best_size=[None, None, 1, 5, 50],
                     max_answer_len=[None, None, 5, 15], handle_impossible_answer=[None, True, True],
                     null_score_diff_threshold=[None, 2.5, -3.0, -8.0, -12.0])
    results = [squad_line(script, oracle, squad, case) for case in cases]
    write("tests/qa/data/squad.jsonl", [line for line, _ in results], len(cases))
    print(f"logits that are not computed change {sum(c for _, c in results)} answers of the script")

    reader = Reader(oracle)
    cases = cases_of(1852, top_k=[None, 1, 2, 3, 5, 20], handle_impossible_answer=[None, True],
                     score_threshold=[None, None, 0.4])
    write("tests/qa/data/calibrated.jsonl",
          [calibrated_line(reader, squad, case) for case in cases], len(cases))


if __name__ == "__main__":
    main()
