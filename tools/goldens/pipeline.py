"""Makes tests/qa/data/pipeline.jsonl: answers of pipeline("question-answering"), transformers 5.2.0.

Run from the root of the repository, in an environment with torch and transformers==5.2.0:
    python tools/goldens/pipeline.py --data ../shared/data --cache DIR
`--cache` keeps logits between runs. Everything is drawn from seeded generators.

The model is models/distilbert-minilm-squad in float32. A line is one case:
    id, file   the SQuAD question it asks ("1.1" or "2.0" dev), with its paragraph, or
    doc        [first, count]: with these paragraphs of SQuAD 1.1 dev, in file order, joined by "\\n"
    q, c       or question and context as they stand
    p          parameters, as in lambert.h
    a          [answer, score, start, end] of the leading answers, best first
    all        true where these are all, though top_k allows more

Ties. Scores of two exact programs differ by some 1e-6, so where a gap below 1e-5 decides, either
outcome is right. The rules, applied by `comparable`:
  1. Answers are kept up to the last place where the next score is at least 1e-5 lower; neighbours
     that are closer form a group whose order is free.
  2. A case is left out when nothing is kept; when a kept answer's text has spans with (almost) equal
     scores at two places of its first window; when a span at the border of a window's candidates has
     (almost) the score of the first one left out, and it could change a kept answer; or when a kept
     answer's text was found before with probability 0.
"""
import argparse
import collections
import hashlib
import json
import lzma
import os
import pickle
import random

import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer, pipeline
from transformers.pipelines import question_answering as qa

MODEL = "models/distilbert-minilm-squad"
OUTPUT = "tests/qa/data/pipeline.jsonl"
GAP = 1e-5        # between scores of answers
RELATIVE = 1e-4   # between scores of spans of one window
ZERO = 1e-35      # float32 results below are not told from 0

SHAPES = [(32, 0), (32, 8), (48, 16), (64, None), (64, 32), (96, 1), (128, 64), (128, 90), (200, 7),
          (256, 0), (256, 128), (384, 200), (512, 128), (512, None)]

ODD = [
    ("What is it?", "Lambert"),
    ("Who?", "x"),
    ("Where is it?", "It is in Paris. PARIS is big. We like paris. The paris we know is Paris!"),
    ("What colour?", "RED red Red rEd, then blue, BLUE and Blue; red again."),
    ("What did she eat?", "She ate \U0001F355 and \U0001F363, then a \U0001F468\u200D\U0001F469\u200D\U0001F467 came."),
    ("Who wrote it?", "\U0001D49C\U0001D4B9\U0001D4B6 wrote it \U0001F600 in 1843. Ada Lovelace wrote it, said Ada."),
    ("What does the token mean?", "The token [CLS] stands first and [SEP] stands between the texts."),
    ("What is hidden?", "A [MASK] is hidden by [MASK], [PAD] fills and [UNK] is unknown."),
    ("What comes after [SEP]?", "After [SEP] comes the context, before it the question."),
    ("Was bedeutet \u00dcbermut?", "\u00dcbermut tut selten gut, sagte M\u00fcller in Z\u00fcrich. \u00fcbermut! \u00dcBERMUT!"),
    ("\u6771\u4eac\u306f\u3069\u3053\u3067\u3059\u304b", "\u6771\u4eac\u306f\u65e5\u672c\u306e\u9996\u90fd\u3067\u3059\u3002\u5927\u962a\u306f\u897f\u306b\u3042\u308a\u307e\u3059\u3002"),
    ("Where is Tokyo?", "Tokyo \u6771\u4eac is the capital of Japan \u65e5\u672c, east of Osaka \u5927\u962a."),
    ("\u0645\u0646 \u0647\u0648\u061f", "\u0647\u0648 \u0645\u062d\u0645\u062f \u0645\u0646 \u0627\u0644\u0642\u0627\u0647\u0631\u0629\u060c \u0641\u064a \u0645\u0635\u0631."),
    ("Who is it?", "\u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3 and \u03bf\u03b4\u03c5\u03c3\u03c3\u03b5\u03c5\u03c2 and \u03bf\u03b4\u03c5\u03c3\u03c3\u03b5\u03c5\u03c3 are Odysseus, king of Ithaca."),
    ("Which city?", "\u0130stanbul, istanbul, ISTANBUL, i\u0307stanbul and \u0131stanbul are written for one city."),
    ("How much?", "It paid $5.0bn (U.S.) in Q3/2020, i.e. 12.5% more than in Q3/2019 - don't forget it's net."),
    ("What is the address?", "Mail to ada@example.org or see https://example.org/a/b?c=d&e=f#g for more."),
    ("When?", "On\u00a01\u202fJanuary\u20091970 at 00:00:00 UTC\u3000it began.\u200b It ended in 2038."),
    ("Who came?", "A\u0301da came. E\u0301mile  came\tlate.\r\nZoe\u0308 did\u00adn't come; No\u0065\u0308l came."),
    ("What is long?", "Donaudampfschifffahrtselektrizit\u00e4tenhauptbetriebswerkbauunterbeamtengesellschaft " * 3),
    ("What repeats?", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa " * 4),
    ("What number?", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 " * 6),
    ("What punctuation?", "... !!! ??? --- ,,, ;;; ((( ))) [[[ ]]] {{{ }}} '' \"\" ``"),
    ("Who was born first?", "Bach (1685) was born before Haydn (1732), Mozart (1756) and Beethoven (1770)."),
    ("Is there \x00 a null?", "There is\x00a null and\x07a bell in it, and \ufffd too."),
    ("who   wrote    the Iliad ?", "  Homer wrote the Iliad ;  Virgil wrote the Aeneid .   "),
    ("WHO WROTE THE AENEID", "HOMER WROTE THE ILIAD; VIRGIL WROTE THE AENEID."),
    ("Who, " + "of all the poets that we know and like, " * 9 + "wrote the Aeneid?",
     "Homer wrote the Iliad; Virgil wrote the Aeneid. " * 5),
    ("What is the answer?", "The answer is 42. " * 60),
    ("\U0001F9D0?", "\U0001F9D0 \U0001F9D0 \U0001F9D0"),
    ("Who discovered radium?", "Marie Curie discovered radium in 1898. Pierre Curie helped. The Curies shared "
     "the Nobel Prize with Becquerel in 1903; marie curie won another in 1911."),
    ("Why did the bridge fall?", "The sea is blue. Cats sleep a lot. Bread is made of flour, water and salt."),
    ("Quand?", "La r\u00e9volution commen\u00e7a le 14 juillet 1789, \u00e0 Paris ; elle finit en 1799."),
    ("\u0915\u094c\u0928?", "\u0930\u093e\u092e \u0914\u0930 \u0938\u0940\u0924\u093e \u0928\u0947 \u092a\u0941\u0938\u094d\u0924\u0915 \u092a\u0922\u093c\u0940\u0964"),
    ("\ud55c\uad6d\uc758 \uc218\ub3c4\ub294?", "\ud55c\uad6d\uc758 \uc218\ub3c4\ub294 \uc11c\uc6b8\uc774\ub2e4. \ubd80\uc0b0\uc740 \ub0a8\ucabd\uc5d0 \uc788\ub2e4."),
    ("\u041a\u0442\u043e?", "\u041f\u0443\u0448\u043a\u0438\u043d \u043d\u0430\u043f\u0438\u0441\u0430\u043b \u00ab\u0415\u0432\u0433\u0435\u043d\u0438\u044f \u041e\u043d\u0435\u0433\u0438\u043d\u0430\u00bb \u0432 1833 \u0433\u043e\u0434\u0443. \u041f\u0423\u0428\u041a\u0418\u041d!"),
]


class Squad:
    """The two dev sets: questions by id, and the paragraphs of 1.1 in order."""

    def __init__(self, folder):
        self.questions = {}  # file -> {id: (question, context)}
        self.paragraphs = []
        self.first_paragraph = {}  # id of a 1.1 question -> index of its paragraph
        for version in ("1.1", "2.0"):
            with lzma.open(os.path.join(folder, f"squad-dev-v{version}.json.xz")) as file:
                articles = json.load(file)["data"]
            table = self.questions[version] = {}
            for paragraph in (p for article in articles for p in article["paragraphs"]):
                for item in paragraph["qas"]:
                    table[item["id"]] = (item["question"], paragraph["context"])
                    if version == "1.1":
                        self.first_paragraph[item["id"]] = len(self.paragraphs)
                if version == "1.1":
                    self.paragraphs.append(paragraph["context"])

    def texts(self, case):
        if "c" in case:
            return case["q"], case["c"]
        question, context = self.questions[case["file"]][case["id"]]
        if "doc" in case:
            first, count = case["doc"]
            context = "\n".join(self.paragraphs[first:first + count])
        return question, context


class Oracle:
    """The pipeline, with its logits kept."""

    def __init__(self, cache):
        torch.set_num_threads(1)
        model = AutoModelForQuestionAnswering.from_pretrained(MODEL, dtype=torch.float32)
        self.tokenizer = AutoTokenizer.from_pretrained(MODEL)
        self.pipe = pipeline("question-answering", model=model, tokenizer=self.tokenizer,
                             device="cpu", dtype=torch.float32)
        assert self.pipe.model.dtype == torch.float32
        self.cache = cache
        os.makedirs(cache, exist_ok=True)

    def windows(self, question, context, parameters):
        """The outputs of the model for all windows, as the pipeline passes them on."""
        shape = {k: parameters[k] for k in ("max_seq_len", "doc_stride") if k in parameters}
        inputs = list(self.pipe.preprocess({"question": question, "context": context}, **shape))
        name = hashlib.sha256(json.dumps([question, context, shape]).encode()).hexdigest()
        path = os.path.join(self.cache, name)
        if os.path.exists(path):
            with open(path, "rb") as file:
                logits = pickle.load(file)
        else:
            with torch.no_grad():
                outputs = [self.pipe._forward(window) for window in inputs]
            logits = [(o["start"].numpy(), o["end"].numpy()) for o in outputs]
            with open(path, "wb") as file:
                pickle.dump(logits, file)
        return [{"start": torch.from_numpy(s), "end": torch.from_numpy(e), **window}
                for (s, e), window in zip(logits, inputs)]

    def answers(self, windows, parameters):
        post = {k: parameters[k] for k in ("top_k", "max_answer_len", "handle_impossible_answer",
                                           "align_to_words") if k in parameters}
        answers = self.pipe.postprocess([dict(w) for w in windows], **post)
        return answers if isinstance(answers, list) else [answers]


class Analysis:
    """All answers before the cut to top_k, and the texts whose place or score is a toss-up."""

    def __init__(self, oracle, windows, context, parameters):
        self.top_k = parameters.get("top_k", 1)
        align = parameters.get("align_to_words", True)
        impossible = parameters.get("handle_impossible_answer", False)
        wanted = self.top_k * 2 + 10 if align else self.top_k
        found = collections.OrderedDict()  # lower-case text -> [answer, score, start, end]
        self.ambiguous, self.zero, self.border = set(), set(), {}
        null = 1000000
        for window in windows:
            starts, ends, scores, null = qa.select_starts_ends(
                window["start"], window["end"], window["p_mask"], window["attention_mask"].numpy(),
                null, wanted + 40, impossible, parameters.get("max_answer_len", 15))
            spans = []
            for first, last, score in zip(starts, ends, scores):
                begin, end = oracle.pipe.get_indices(window["encoding"], first, last, 1, align)
                spans.append((context[begin:end], begin, end, score.item()))
            self._border(spans, wanted)
            firsts = {}  # texts that are new in this window -> place and score
            for text, begin, end, score in spans[:wanted]:
                key = text.lower()
                if score < ZERO:
                    self.zero.add(key)
                if key in firsts:
                    place, best = firsts[key]
                    if place != (begin, end) and score > best * (1 - RELATIVE):
                        self.ambiguous.add(key)
                if key in found:
                    found[key][1] += score
                else:
                    found[key] = [text, score, begin, end]
                    firsts[key] = ((begin, end), score)
        self.answers = list(found.values()) + ([["", null, 0, 0]] if impossible else [])
        self.answers.sort(key=lambda answer: -answer[1])

    def _border(self, spans, wanted):
        if len(spans) <= wanted:
            return
        inside, outside = spans[wanted - 1][3], spans[wanted][3]
        if outside <= inside * (1 - RELATIVE):
            return
        for text, _, _, score in spans:
            if abs(score - inside) <= inside * RELATIVE:
                self.border[text.lower()] = max(score, self.border.get(text.lower(), 0))

    def comparable(self):
        """How many leading answers both programs must agree on; 0 leaves the case out."""
        scores = [answer[1] for answer in self.answers] + [0.0]
        limit = min(self.top_k, len(self.answers))
        count = max((n for n in range(limit + 1) if n == 0 or scores[n - 1] - scores[n] >= GAP))
        if count == 0:
            return 0
        keys = {answer[0].lower() for answer in self.answers[:count]}
        if keys & self.ambiguous or keys & self.zero or keys & set(self.border):
            return 0
        if any(score >= scores[count - 1] - GAP for score in self.border.values()):
            return 0
        return count


def draw_parameters(rng):
    """Parameters of decoding; absent ones have their default."""
    parameters = {}
    for name, values in (("top_k", [None, 1, 2, 3, 5, 20]),
                         ("max_answer_len", [None, None, None, 1, 2, 3, 5, 8, 30, 50, 100]),
                         ("handle_impossible_answer", [None, None, True]),
                         ("align_to_words", [None, None, False])):
        value = rng.choice(values)
        if value is not None:
            parameters[name] = value
    return parameters


def with_shape(parameters, shape):
    length, stride = shape
    return {**parameters, "max_seq_len": length, **({} if stride is None else {"doc_stride": stride})}


def draw_cases(squad, rng):
    """Cases in an order that needs each set of logits only for neighbours."""
    cases = []
    for version, step in (("1.1", 11), ("2.0", 14)):
        for number, name in enumerate(list(squad.questions[version])[::step]):
            base = {"id": name, "file": version}
            parameters = {} if number % 4 == 0 else draw_parameters(rng)
            if number % 5 == 1:
                parameters = with_shape(parameters, SHAPES[number // 5 % len(SHAPES)])
            cases.append({**base, "p": parameters})
    ids = list(squad.questions["1.1"])
    for count in (7, 8, 10, 14, 20, 40, 130):
        for _ in range(2 if count < 100 else 1):
            first = rng.randrange(len(squad.paragraphs) - count)
            inside = [i for i in ids if first <= squad.first_paragraph[i] < first + count]
            base = {"id": rng.choice(inside), "file": "1.1", "doc": [first, count]}
            cases.append({**base, "p": {"top_k": 5, "handle_impossible_answer": True}})
            if count < 40:
                shape = rng.choice([(256, 0), (256, 128), (384, 200), (512, 128), (512, None)])
                cases.append({**base, "p": with_shape(draw_parameters(rng), shape)})
    for question, context in ODD:
        for number in range(16):
            parameters = draw_parameters(rng) if number else {}
            if number % 4 == 3:
                parameters = with_shape(parameters, SHAPES[rng.randrange(len(SHAPES))])
            cases.append({"q": question, "c": context, "p": parameters})
    unique = {json.dumps(case, sort_keys=True): case for case in cases}
    return list(unique.values())


def fits(oracle, question, parameters):
    """Whether the windows have room for context and a step above 0."""
    length = parameters.get("max_seq_len", 384)
    stride = parameters.get("doc_stride", min(length // 2, 128))
    taken = len(oracle.tokenizer(question, add_special_tokens=False)["input_ids"]) + 3
    return stride < length - taken


def check_oracle(oracle, squad, cases):
    """The cached way must give what a call of the pipeline gives."""
    for case in cases:
        question, context = squad.texts(case)
        answers = oracle.pipe(question=question, context=context, **case["p"])
        answers = answers if isinstance(answers, list) else [answers]
        assert answers == oracle.answers(oracle.windows(question, context, case["p"]), case["p"])


def make_line(oracle, squad, case):
    question, context = squad.texts(case)
    windows = oracle.windows(question, context, case["p"])
    answers = oracle.answers(windows, case["p"])
    analysis = Analysis(oracle, windows, context, case["p"])
    count = analysis.comparable()
    if count == 0:
        return None
    expected = [[a["answer"], round(a["score"], 8), a["start"], a["end"]] for a in answers]
    restated = [[a[0], round(a[1], 8), a[2], a[3]] for a in analysis.answers[:count]]
    assert sorted(expected[:count]) == sorted(restated), (case, expected, restated)
    line = {**case, "a": expected[:count]}
    if count == len(answers) < analysis.top_k:
        line["all"] = True
    return line


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", required=True)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    squad, oracle = Squad(arguments.data), Oracle(arguments.cache)
    cases = [case for case in draw_cases(squad, random.Random(1843))
             if fits(oracle, squad.texts(case)[0], case["p"])][:arguments.limit]
    check_oracle(oracle, squad, cases[::100])
    kept = 0
    with open(OUTPUT, "w") as out:
        for case in cases:
            line = make_line(oracle, squad, case)
            if line is not None:
                out.write(json.dumps(line, ensure_ascii=True, separators=(",", ":")) + "\n")
                kept += 1
    print(f"{kept} cases, {len(cases) - kept} left out as ties")


if __name__ == "__main__":
    main()
