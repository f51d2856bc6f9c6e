"""The requests of tools/soak: one list of lines for `lambert batch`, kinds mixed, errors among them."""
import dataclasses
import json
import lzma
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
MAX_LINE_BYTES = 400_000  # of --max-line-bytes; one request has more

PARAMETERS = [
    {}, {"top_k": 5}, {"topk": 20}, {"top_k": 1000, "max_answer_len": 4},
    {"handle_impossible_answer": True}, {"handle_impossible_answer": True, "top_k": 3},
    {"align_to_words": False, "top_k": 4}, {"no_align_to_words": True, "max_answer_len": 1},
    {"score_threshold": 0.2}, {"score_threshold": 2}, {"max_answer_len": 400, "top_k": 2},
    {"max_seq_len": 64, "doc_stride": 8}, {"max_seq_len": 128, "doc_stride": 0, "top_k": 2},
    {"max_seq_len": 512, "doc_stride": 200}, {"offset_type": "utf8"},
    {"offset_type": "utf16", "top_k": 3}, {"offset_type": "codepoint", "mode": "hf"},
    {"mode": "squad"}, {"mode": "squad", "top_k": 7, "n_best_size": 5},
    {"mode": "squad", "handle_impossible_answer": True},
    {"mode": "squad", "handle_impossible_answer": True, "null_score_diff_threshold": -8.5},
    {"mode": "squad", "handle_impossible_answer": True, "null_score_diff_threshold": 9, "top_k": 3},
    {"mode": "squad", "n_best_size": 1000, "top_k": 1000, "max_seq_len": 96, "doc_stride": 32},
    {"mode": "squad", "max_question_len": 4, "max_answer_len": 3, "offset_type": "utf8"},
    {"mode": "calibrated"}, {"mode": "calibrated", "top_k": 10, "max_seq_len": 100},
    {"mode": "calibrated", "handle_impossible_answer": True, "max_answer_len": 8, "top_k": 2},
    {"mode": "calibrated", "score_threshold": 0.6, "max_question_len": 6, "top_k": 5},
]

# Texts of many scripts, and of nobody's good will.
TEXTS = [
    "Ünïcödé: Große Straße, naïve façade, İstanbul, ﬁne ﬂuﬀ, ℌ𝔢𝔩𝔩𝔬 and Ⅷ of 1843.",
    "東京は日本の首都です。人口は約一千四百万人。 北京是中国的首都。 서울은 대한민국의 수도이다.",
    "القاهرة هي عاصمة مصر \u202eand this runs backwards\u202c; ירושלים בירת ישראל.",
    "दिल्ली भारत की राजधानी है। กรุงเทพมหานคร เป็นเมืองหลวง ของไทย",
    "👩‍👩‍👧‍👦 won by 🏴󠁧󠁢󠁳󠁣󠁴󠁿 in 2021 👍🏽🇩🇪, e\u0301 is not é, Z\u0351\u036b\u0343\u036a\u0302a\u0322l\u0327go",
    "zero\u200bwidth\u200d and soft\u00adhyphens\ufeff, nul \u0000 bell \u0007 escape \u001b[31m end",
    "[CLS] who [SEP] wrote [MASK] this [PAD] [UNK] [SEP] Ada wrote it. [CLS]",
    "\ufffd\ufffe\uffff \U0010ffff \ue000 private, ~!@#$%^&*()_+{}|:\"<>?`-=[]\\;',./",
    "<script>alert('Ada')</script>'; DROP TABLE answers; -- ${HOME} $(id) %s%n\r\nA\tB",
    "a" * 5000 + " was written by Ada", "x " * 3000, "," * 2000, "\u0301" * 1500 + "Ada",
    "1,000.00 3.14e10 -7 ٣٤٥ ½ x² 10⁻³ U.S. 5ft.11in. http://a.example/?q=1&b=2#c", "Ada", "é", "漢",
]

# Lines that cannot be answered, and the code of their error.
BROKEN = [
    (b"{", "invalid_input"), (b"}{", "invalid_input"), (b"null", "invalid_input"),
    (b"[1, 2, 3]", "invalid_input"), (b'"Who?"', "invalid_input"), (b"Who wrote it?", "invalid_input"),
    (b'{"question":"Who?","context":"Ada."', "invalid_input"),
    (b'{"question":"Who?","context":"Ada."} trailing', "invalid_input"),
    (b'{"id":"torn","question":"Who?","context":"Ad', "invalid_input"),
    (b'{"id":"utf8","question":"Who?","context":"\xff\xfe\xc3("}', "invalid_input"),
    (b'{"id":"half","question":"Who?","context":"\\ud800 Ada"}', "invalid_input"),
    (b'{"question":"Who?","context":"Ada\x00."}', "invalid_input"),
    (b"[" * 2000, "invalid_input"), (b"\x00\x01\x02", "invalid_input"),
    (b'{"question":"Who?"}', "invalid_input"), (b'{"context":"Ada."}', "invalid_input"),
    (b"{}", "invalid_input"), (b'{"question":null,"context":"Ada."}', "invalid_input"),
    (b'{"question":7,"context":"Ada."}', "invalid_input"),
    (b'{"question":"Who?","context":["Ada."]}', "invalid_input"),
    (b'{"id":{"a":1},"question":"Who?","context":"Ada."}', "invalid_input"),
]

# Parameters that are refused.
REFUSED = [
    {"top_k": 0}, {"top_k": 1001}, {"top_k": "3"}, {"top_k": 1.5}, {"topk": 10**30}, {"topk": [1]},
    {"mode": "fast"}, {"mode": 1}, {"offset_type": "utf32"}, {"max_seq_len": 10**6},
    {"max_seq_len": -1}, {"doc_stride": -3}, {"doc_stride": 500},
    {"max_answer_len": 0}, {"mode": "squad", "max_question_len": 0},
    {"mode": "squad", "n_best_size": 0}, {"handle_impossible_answer": "yes"},
    {"align_to_words": 1}, {"no_align_to_words": {}}, {"null_score_diff_threshold": "0"},
    {"score_threshold": False},
]


@dataclasses.dataclass(frozen=True)
class Request:
    """A line of input, the JSON text of its id (None: the number of the line), whether a result is
    due (not of a blank line), and the code of its error (None: it has answers)."""
    line: bytes
    id: bytes | None = None
    answered: bool = True
    error: str | None = None


def passages(folder: pathlib.Path):
    """(question, passage) of SQuAD v1.1 dev, one a passage, or of examples/ and this script."""
    path = folder / "squad-dev-v1.1.json.xz"
    if path.exists():
        with lzma.open(path, "rt", encoding="utf-8") as file:
            articles = json.load(file)["data"]
        pairs = [(paragraph["qas"][0]["question"], paragraph["context"])
                 for article in articles for paragraph in article["paragraphs"]]
        return path.name, pairs
    abstract = (ROOT / "examples" / "bert-abstract.txt").read_text(encoding="utf-8")
    sentences = re.split(r"(?<=[.!?])\s+", abstract.strip())
    questions = ["What does the 'B' in BERT stand for?", "What is BERTs best score on Squadv2 ?",
                 "How many tasks does it improve?", "Who wrote it?", "When was the first program?"]
    texts = [" ".join(sentences[begin:begin + 1 + begin % 7]) for begin in range(len(sentences))]
    texts += [f"In {1700 + 7 * i} " + text for i, text in enumerate(texts + TEXTS[:5])] + [abstract]
    return "examples/", [(questions[i % len(questions)], texts[i % len(texts)]) for i in range(400)]


def asking(question: str, context: str, number: int, **parameters) -> dict:
    """The fields of a request; a third has a text as its id, a third a number."""
    own = [{}, {"id": f"q{number} \"é\""}, {"id": number * 10**9 + 7}][number % 3]
    return {**own, "question": question, "context": context, **parameters}


def texts_of_all_lengths(pairs):
    """Passages cut after 1, 2, 3, 5, 8 ... words, whole ones and several as one."""
    lengths = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 120, 10**6]
    for number in range(48):
        question, passage = pairs[number * 37 % len(pairs)]
        words = passage.split(" ")
        yield question, " ".join(words[:lengths[number % len(lengths)]])
    for number, size in enumerate((2_000, 5_000, 9_000, 14_000)):
        yield pairs[number * 11 % len(pairs)][0], long_text(pairs, number * 50, size)
    yield "word " * 60, pairs[0][1]  # a question of more than max_question_len
    yield " ", pairs[1][1]


def long_text(pairs, first: int, size: int) -> str:
    """At least `size` characters of passages from number `first` on."""
    text = ""
    while len(text) < size:
        text += pairs[first % len(pairs)][1] + "\n\n"
        first += 1
    return text


def request_list(pairs) -> list[Request]:
    """All requests of a round, kinds mixed."""
    wanted = list(texts_of_all_lengths(pairs))
    fields = [asking(*each, number) for number, each in enumerate(wanted)]
    for number, parameters in enumerate(PARAMETERS):
        question, passage = pairs[number * 53 % len(pairs)]
        other = pairs[(number * 53 + len(pairs) // 2) % len(pairs)][1]  # does not have the answer
        several = long_text(pairs, number * 31, 2_500) if number % 3 == 0 else other
        fields += [asking(question, text, len(fields) + i, **parameters)
                   for i, text in enumerate((passage, several))]
    for number, text in enumerate(TEXTS):
        parameters = PARAMETERS[number * 5 % len(PARAMETERS)]
        fields.append(asking("Who wrote it?", text, number, **parameters))
        fields.append(asking(text[:100], "Ada Lovelace wrote it in 1843. " + text[:200], number + 1))
    fields.append(asking("Where is it?", long_text(pairs, 700, 102_000), 1, mode="calibrated", top_k=3,
                         doc_stride=16))
    requests = [answerable(each, escaped=number % 2 == 0) for number, each in enumerate(fields)]
    broken = [Request(line, own_id(line), error=code) for line, code in BROKEN]
    for number, parameters in enumerate(REFUSED):
        each = asking(*pairs[number % len(pairs)], number, **parameters)
        broken.append(dataclasses.replace(answerable(each), error="invalid_argument"))
    for each in (asking("Who?", "", 1), asking("", "Ada wrote it.", 2),
                 asking("word " * 2000, "Ada wrote it.", 0),
                 asking("Who wrote it, and when?", "Ada wrote it.", 1, max_seq_len=4)):
        broken.append(dataclasses.replace(answerable(each), error="invalid_input"))
    too_long = b'{"question":"Who?","context":"' + b"Ada " * (MAX_LINE_BYTES // 4) + b'"}'
    broken.append(Request(too_long, error="limit_exceeded"))
    broken += [Request(b"", answered=False), Request(b" \t\r", answered=False)]
    return spread(requests, broken)


def own_id(line: bytes) -> bytes | None:
    """The text that a damaged line has as its id."""
    found = re.match(rb'\{"id":("[^"]*")', line)
    return found and found[1]


def answerable(fields: dict, escaped: bool = True) -> Request:
    line = json.dumps(fields, ensure_ascii=escaped).encode()
    own = fields.get("id")
    if isinstance(own, str):  # as lambert writes it
        return Request(line, json.dumps(own, ensure_ascii=False).encode())
    return Request(line, None if own is None else str(own).encode())


def spread(many: list, few: list) -> list:
    """Both lists, each in its order, the second one evenly among the first."""
    keyed = [(i / len(many), each) for i, each in enumerate(many)]
    keyed += [((i + 0.5) / len(few), each) for i, each in enumerate(few)]
    return [each for _, each in sorted(keyed, key=lambda pair: pair[0])]
