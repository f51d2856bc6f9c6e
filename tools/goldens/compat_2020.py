"""Makes tests/serve/data/compat_2020.jsonl: replies of the Python service of 2020.

Run from the root of the repository, in the environment of tools/goldens/setup:
    .venv-goldens/bin/python tools/goldens/compat_2020.py

The service is restated here (`Service`), over transformers 5.2.0 and torch with the default model. It
ran on Python 3.8 and transformers 2.10, whose tokenizer makes the same ids; where those or Python
3.11 differ from it, the function says so. A line is [event, result], the JSON texts before and behind
the handler, the result by json.dumps as Lambda's Python runtime does.

Left out are questions whose highest start or end logit is less than 1e-3 above the next: such a
difference is within what logits differ by between CPUs.
"""
import json
import random

import torch
from transformers import AutoModelForQuestionAnswering, AutoTokenizer

MODEL = "models/distilbert-minilm-squad"
EXAMPLE = "tests/serve/data/example_2020.json"
OUTPUT = "tests/serve/data/compat_2020.jsonl"
HEADERS = {"Content-Type": "application/json", "Access-Control-Allow-Origin": "*",
           "Access-Control-Allow-Credentials": True}
NO_TEXT = ("Input is not valid. Should be a string, a list/tuple of strings or a list/tuple of "
           "integers.")


class Undecided(Exception):
    """The logits do not tell the answer with certainty."""


class Service:
    def __init__(self):
        self.tokenizer = AutoTokenizer.from_pretrained(MODEL)
        self.model = AutoModelForQuestionAnswering.from_pretrained(MODEL, dtype=torch.float32).eval()

    def ids_of(self, text):
        """transformers 2.10: ValueError for what is no text; lone surrogates dropped, as there."""
        if not isinstance(text, str):
            raise ValueError(NO_TEXT)
        text = "".join(c for c in text if not 0xD800 <= ord(c) < 0xE000)
        return self.tokenizer(text, add_special_tokens=False)["input_ids"]

    def predict(self, question, context):
        first, second = self.ids_of(question), self.ids_of(context)
        cls, sep = self.tokenizer.cls_token_id, self.tokenizer.sep_token_id
        ids = [cls] + first + [sep] + second + [sep]
        with torch.no_grad():
            # transformers 2.10 looks positions up like this, 5.2 cuts a table and fails otherwise.
            self.model.distilbert.embeddings.position_embeddings(torch.arange(len(ids)))
            output = self.model(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)))
        start, end = output.start_logits[0], output.end_logits[0]
        for logits in (start, end):
            best = torch.topk(logits, 2).values
            if best[0] - best[1] < 1e-3:
                raise Undecided
        tokens = self.tokenizer.convert_ids_to_tokens(
            ids[int(start.argmax()):int(end.argmax()) + 1], skip_special_tokens=True)
        return " ".join(tokens).replace(" ##", "").strip()

    def handle(self, event):
        try:
            body = json.loads(event["body"])
            answer = self.predict(body["question"], body["context"])
            return {"statusCode": 200, "headers": HEADERS, "body": json.dumps({"answer": answer})}
        except Undecided:
            raise
        except Exception as error:
            # Python 3.11 names the type of the index, 3.8 did not.
            text = repr(error).replace("must be integers, not \\'str\\'", "must be integers")
            text = text.replace('"string indices must be integers, not \'str\'"',
                                "'string indices must be integers'")
            return {"statusCode": 500, "headers": HEADERS, "body": json.dumps({"error": text})}


CONTEXTS = [
    ("Ada Lovelace wrote the first program in 1843 for the Analytical Engine of Charles Babbage. The "
     "engine was never built. Grace Hopper finished the first compiler in 1952 at Remington Rand.",
     ["Who wrote the first program?", "When was the first program written?", "WHO FINISHED THE FIRST COMPILER",
      "Whose engine was it?", "what was never built", "Where did Grace Hopper work?", "?", "first", "Ada"]),
    ("Zürich liegt am Zürichsee. L'été dernier, Chloé a visité São Paulo, Kraków et Malmö; le café "
     "coûtait 3,50 €. Straße, naïve, İstanbul, Ωmega, Æther.",
     ["Où est allée Chloé?", "Wo liegt Zürich?", "How much was the coffee?", "What did Chloe visit?",
      "naïve?", "Combien coûtait le café ?"]),
    ("東京は日本の首都です。 The capital of Japan is Tokyo 🗼, with 14 million people — the most of all.",
     ["What is the capital of Japan?", "東京?", "How many people 🗼?", "🗼🗼🗼"]),
    ("The covid-19 pandemic hit the U.S. in January 2020; by 12/31 (year's end) 346,037 people had "
     "died, i.e. 0.1% of the population.",
     ["Which country was hit?", "How many people had died?", "When did it hit?", "What percentage died?"]),
    ("a ##b [SEP] c [CLS] d [MASK] e [UNK] f [PAD] g", ["what is [SEP] b?", "[CLS] d", "which letter"]),
    ("He said \"no\\way\", tab\there\r\nand\u0000 nul\u007f del\u200b zero\u00a0nbsp\ufffd.",
     ["What did he say?", "what is here"]),
    ("supercalifragilisticexpialidocious " + "x" * 150 + " word", ["long word?", "x" * 101 + " what"]),
    (" \n\t ", ["Who?"]),
    ("", ["Who?", ""]),
    ("Ada wrote it.", ["", " ", "\ud800 who wrote it \udfff"]),
]
NOT_TEXT = [5, 5.5, True, {}, {"text": "x"}, [], [None], [1.5], [["a"]]]
BODIES = [
    "", " ", "{", "[", "[]", "[1, 2]", "{}", "null", "true", "1", "1.5", "NaN", "\"text\"", "nul",
    "not json", "{'question': 'a'}", "{\"question\"", "{\"question\":", "{\"question\": \"a",
    "{\"question\": \"a\"", "{\"question\": \"a\",", "{\"question\": \"a\",}", "{\"question\" \"a\"}",
    "{\"question\": \"a\" \"context\": \"b\"}", "{\"question\": \"a\\x\"}", "{\"question\": \"a\\u12\"}",
    "{\"question\": \"a\nb\"}", "{\"question\": \"a\"}", "{\"context\": \"b\"}", "{\"question\": null}",
    "{\"question\": null, \"context\": \"b\"}", "{\n  \"question\": \"a\",\n  \"context\" \"b\"\n}",
    "\ufeff{}", "{\"question\": \"a\", \"context\": \"b\"} x", "{\"Question\": \"a\", \"Context\": \"b\"}",
    "question=Who&context=Ada", "[" * 1100,
    "{\"question\": \"Who wrote it?\", \"question\": \"When?\", \"context\": \"Ada wrote it in 1843.\"}",
    "{\"question\": \"Who wrote it?\", \"context\": \"Ada wrote it in 1843.\", \"x\": [NaN, -Infinity, {}]}",
    "{\"question\": \"Who wrote it?\", \"context\": \"\\u0041da wrote it \\ud83d\\ude00 \\ud83d in 1843.\"}",
]
EVENT_BODIES = [None, 5, 5.5, True, False, [], ["a"], {}, {"question": "Who?", "context": "Ada."}]
EVENTS = [None, 5, True, "text", [], ["body"], {}, {"Body": "{}"}, {"question": "Who?", "context": "Ada."},
          {"source": "serverless-plugin-warmup"}]


def body(question, context):
    return json.dumps({"question": question, "context": context})


def events():
    with open(EXAMPLE, encoding="utf-8") as file:
        example = json.load(file)
    for context in (example["context"], example["context_as_posted"]):
        for item in example["questions"]:
            yield {"body": body(item["question"], context)}
    for context, questions in CONTEXTS:
        for question in questions:
            yield {"body": body(question, context)}
    words = [word for context, _ in CONTEXTS[:4] for word in context.split()]
    generator = random.Random(2020)
    for _ in range(12):
        chosen = [generator.choice(words) for _ in range(generator.randrange(1, 120))]
        at = generator.randrange(len(chosen))
        yield {"body": body(" ".join(chosen[at:at + 6]), " ".join(chosen))}
    for count in (507, 508, 509, 600):  # with [CLS] who [SEP] ... [SEP]: 511, 512, 513 and 604 ids
        yield {"body": body("who", "ada " * count)}
    yield {"body": body("who " * 510, "ada")}
    for value in NOT_TEXT:
        yield {"body": body(value, "Ada wrote it.")}
        yield {"body": body("Who?", value)}
    for text in BODIES:
        yield {"body": text}
    for value in EVENT_BODIES:
        yield {"body": value}
    yield from EVENTS
    whole = body("Who wrote it?", "Ada wrote it in 1843.")
    yield {"httpMethod": "GET", "path": "/other", "headers": None, "body": whole}
    yield {"requestContext": {"elb": {}}, "isBase64Encoded": True, "body": whole}
    yield {"version": "2.0", "requestContext": {"http": {"method": "OPTIONS"}}, "body": whole}


def main():
    service = Service()
    lines, undecided = [], 0
    for event in events():
        try:
            result = service.handle(event)
        except Undecided:
            undecided += 1
            continue
        lines.append(json.dumps([json.dumps(event), json.dumps(result)]))
    with open(OUTPUT, "w", encoding="ascii") as file:
        file.write("\n".join(lines) + "\n")
    print(f"{len(lines)} events, {undecided} left out as undecided")


if __name__ == "__main__":
    main()
