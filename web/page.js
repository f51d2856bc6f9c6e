// The page of `lambert serve`: a text, questions about it, and the answers marked where they stand.
// Whatever comes from outside (texts, files, replies, names) becomes text nodes, never markup.
// An answer's place is counted in UTF-16 units, as JavaScript's strings are.
// Over 400 lines: one page, one script, a third of it the texts that it shows.

const EXAMPLES = [
  {
    name: "Who was Lambert?",
    question: "What did Lambert prove?",
    text: "Johann Heinrich Lambert (1728–1777), the son of a tailor from Mulhouse, left school at "
      + "twelve and taught himself at night. He was the first to prove that π is irrational, in 1761. "
      + "His Photometria describes how light fades as it passes through matter, and the unit of "
      + "luminance bears his name.\n\nIn 1765 Frederick the Great called him to the Academy of "
      + "Sciences in Berlin, where he worked with Leonhard Euler and drew maps whose projections are "
      + "in use to this day.",
  },
  {
    name: "A recipe",
    question: "How long does the dough rest?",
    text: "🍞 Bread without kneading\n\nMix 500 g of flour, 350 ml of water, 10 g of salt and 2 g of "
      + "yeast in a bowl. 🥣 Cover it and let the dough rest for 14 hours at room temperature. Fold it "
      + "twice, shape a loaf and wait for another hour.\n\n🔥 Heat the oven with a heavy pot inside to "
      + "250 °C. Bake the loaf in the closed pot for 30 minutes and without the lid for 15 more.",
  },
  {
    name: "Moon landing",
    question: "How long were they outside?",
    text: "Apollo 11 was launched by a Saturn V rocket from Kennedy Space Center in Florida on July 16, "
      + "1969. Commander Neil Armstrong and lunar module pilot Buzz Aldrin landed the Eagle on July 20, "
      + "and Armstrong became the first person to step onto the Moon six hours and 39 minutes later. "
      + "Aldrin joined him 19 minutes after that. They spent about two and a quarter hours together "
      + "outside the spacecraft and collected 21.5 kg of lunar material, while Michael Collins flew the "
      + "command module Columbia alone in lunar orbit.",
  },
];

const BLOCK_LENGTH = 4000; // of the text to read: the browser lays out only the blocks in sight
const LARGE_PASTE = 50000; // characters; Chromium takes minutes to insert 1 MB of lines by itself
const MAX_HISTORY = 100;
const POLL_MS = [1000, 2000, 4000, 8000]; // between two looks whether the server is back

const by = (id) => document.getElementById(id);

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

const context = by("context");
const reading = by("reading");
const question = by("question");

let maxBodyBytes = 8 * 1024 * 1024; // until GET info tells
let running = null; // AbortController of the question on its way
let entries = []; // what was asked, newest first
let shown = null; // the one of them on the screen
let replaced = null; // the text that Undo brings back
let readText = null; // what `reading` holds,
let blocks = []; // in these parts: {start, end, element, marked}

// ---- The text

// Puts `text` into the field. What stood there and was never asked about can be had back.
function setText(text, hint) {
  const before = context.value;
  context.value = text;
  if (context.value !== before) {
    const known = !before.trim() || entries.some((entry) => entry.text === before);
    replaced = known ? null : before;
  }
  by("undo").hidden = replaced === null;
  by("text-hint").textContent = hint;
}

function forgetUndo() {
  replaced = null;
  by("undo").hidden = true;
  by("text-hint").textContent = "";
}

function edit() {
  reading.hidden = true;
  context.hidden = false;
  by("edit").hidden = true;
}

// Shows `text` for reading: elements of whole lines, which together hold exactly the text.
function read(text) {
  if (readText !== text) {
    readText = text;
    blocks = [];
    for (let start = 0; start < text.length;) {
      const newline = text.indexOf("\n", start + BLOCK_LENGTH);
      const end = newline < 0 ? text.length : newline + 1;
      const element = make("div", { className: "block", textContent: text.slice(start, end) });
      blocks.push({ start, end, element, marked: false });
      start = end;
    }
    reading.replaceChildren(...blocks.map((block) => block.element));
    reading.scrollTop = 0;
  }
  const writing = document.activeElement === context;
  context.hidden = true;
  reading.hidden = false;
  by("edit").hidden = false;
  if (writing) reading.focus({ preventScroll: true });
}

// Marks text[start, end), which may reach over several blocks, and nothing else.
function mark(start, end) {
  for (const block of blocks) {
    const from = Math.max(start, block.start);
    const to = Math.min(end, block.end);
    if (from < to) {
      block.element.replaceChildren(readText.slice(block.start, from),
        make("mark", { textContent: readText.slice(from, to) }), readText.slice(to, block.end));
    } else if (block.marked) {
      block.element.textContent = readText.slice(block.start, block.end);
    }
    block.marked = from < to;
  }
  scrollToMark(4);
}

// Only the text scrolls: the list of candidates stays under the finger. Blocks that come into sight
// have another height than was assumed, so it looks again in the next `frames`.
function scrollToMark(frames) {
  const first = reading.querySelector("mark");
  if (first === null) return;
  if (frames > 0) requestAnimationFrame(() => scrollToMark(frames - 1));
  const frame = reading.getBoundingClientRect();
  const place = first.getBoundingClientRect();
  if (place.top < frame.top || place.bottom > frame.bottom) {
    reading.scrollTop += place.top - frame.top - reading.clientHeight / 3;
  }
}

// ---- Files

async function openFile(file) {
  if (file.size > maxBodyBytes) {
    complain(`${file.name} is too large`,
      `It has ${megabytes(file.size)}; this server takes at most ${megabytes(maxBodyBytes)}.`);
    return;
  }
  let text;
  try {
    text = decode(new Uint8Array(await file.arrayBuffer()));
  } catch {
    complain(`${file.name} cannot be read`, "It may have been moved, or you may not read it.");
    return;
  }
  if (text.includes("\0")) {
    complain(`${file.name} is not a text`, "Open a plain text, Markdown or HTML file.");
    return;
  }
  if (/\.html?$/i.test(file.name) || file.type === "text/html") text = textOfHtml(text);
  if (!text.trim()) {
    complain(`${file.name} has no text`, "Open another file.");
    return;
  }
  calm();
  edit();
  setText(text, `${file.name}, ${text.length.toLocaleString("en")} characters`);
  context.scrollTop = 0;
  question.focus();
}

// UTF-8 or UTF-16 with a mark; bytes that are neither are Windows' Latin letters.
function decode(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder("utf-16le").decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder("utf-16be").decode(bytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

const COMMENTS = /<!--[^]*?(?:-->|$)/g;
const NO_TEXT = /<(script|style|title|noscript|template|iframe|object|svg)\b[^]*?(?:<\/\1\s*>|$)/gi;
const TAG = /<([a-z][^\s/>]*)((?:=\s*"[^"]*(?:"|$)|=\s*'[^']*(?:'|$)|[^>])*)(?:>|$)/gi;
const QUOTED = /"[^"]*"|'[^']*'/g;
const PARAGRAPH = /^(P|H[1-6]|UL|OL|DL|TABLE|PRE|BLOCKQUOTE|SECTION|ARTICLE|FIGURE|HR)$/;
const LINE = /^(DIV|LI|DT|DD|TR|CAPTION|FIGCAPTION|HEADER|FOOTER|MAIN|NAV|ASIDE|FORM|ADDRESS)$/;

// The text that an HTML page shows. The parser's document has no window: it runs and loads nothing.
// Styles and attributes are taken out before, since the page's policy would report them.
function textOfHtml(html) {
  const bare = html.replace(COMMENTS, "").replace(NO_TEXT, " ").replace(TAG, (tag, name, attributes) =>
    /\shidden(?![\w-])/i.test(attributes.replace(QUOTED, "")) ? `<${name} hidden>` : `<${name}>`);
  const page = new DOMParser().parseFromString(bare, "text/html");
  for (const element of page.querySelectorAll("head, [hidden]")) element.remove();
  const parts = [];
  let breaks = 0; // line ends before the next part
  const add = (text, preformatted = false) => {
    if (!preformatted && (breaks > 0 || parts.at(-1)?.endsWith(" "))) text = text.replace(/^ /, "");
    if (text === "") return;
    if (breaks > 0 && parts.length > 0) parts.push(parts.pop().replace(/ $/, ""), "\n".repeat(breaks));
    breaks = 0;
    parts.push(text);
  };
  const visit = (node, preformatted) => {
    if (node.nodeType === Node.TEXT_NODE) {
      add(preformatted ? node.data : node.data.replace(/[ \t\r\n\f]+/g, " "), preformatted);
      return;
    }
    const name = node.nodeName;
    const around = PARAGRAPH.test(name) ? 2 : LINE.test(name) ? 1 : 0;
    breaks = Math.max(breaks, around);
    if (name === "BR") breaks = Math.min(2, breaks + 1);
    if (name === "TD" || name === "TH") add(" ");
    for (const child of node.childNodes) visit(child, preformatted || name === "PRE");
    breaks = Math.max(breaks, around);
  };
  visit(page.documentElement, false);
  return parts.join("").trim();
}

// ---- Asking

async function ask() {
  calm();
  const body = requestBody();
  if (body === null) return;
  running?.abort();
  const mine = running = new AbortController();
  setBusy(true);
  try {
    const begin = performance.now();
    const reply = await request("v1/answer", { method: "POST", body: JSON.stringify(body), signal: mine.signal });
    if (!Array.isArray(reply.answers)) throw new Refused(200, NOT_OURS);
    const elapsed = performance.now() - begin;
    const entry = { ...reply, asked: body, question: body.question, text: body.context, chosen: 0, elapsed };
    entries = [entry, ...entries].slice(0, MAX_HISTORY);
    show(entry);
    by("figures").scrollIntoView({ block: "nearest" }); // on a phone it is below
    if (!by("server").classList.contains("ready")) lookAtServer();
  } catch (error) {
    if (mine.signal.aborted) return; // stopped, or asked anew
    if (!(error instanceof Refused)) throw error;
    explain(error);
  } finally {
    if (running === mine) setBusy(false);
  }
}

// What to ask, or null after telling what is missing.
function requestBody() {
  const body = {
    question: wellFormed(question.value.trim()),
    context: wellFormed(context.value),
    top_k: Number(by("top-k").value),
    handle_impossible_answer: by("impossible").checked,
    offset_type: "utf16",
  };
  const bytes = new Blob([JSON.stringify(body)]).size;
  if (!body.context.trim()) {
    complain("There is no text yet", "Paste one, open a file or try an example.", context);
  } else if (!body.question) {
    complain("There is no question yet", "Write one about the text.", question);
  } else if (bytes > maxBodyBytes) {
    complain("The text is too large",
      `With the question it has ${megabytes(bytes)}; this server takes at most ${megabytes(maxBodyBytes)}.`, context);
  } else if (!/^[!-~]*$/.test(by("key").value)) {
    complain("The API key cannot be sent", "It has spaces or letters that no key has.", by("key"));
  } else {
    return body;
  }
  return null;
}

// A reply that is no answer. status 0: there was none.
class Refused extends Error {
  constructor(status, problem, wait = null) {
    super(problem.detail ?? problem.error ?? "");
    Object.assign(this, { status, problem, wait });
  }
}

const NOT_REACHED = {
  title: "The server cannot be reached",
  detail: "It may have been stopped, or the network is down. Your text is still here.",
};
const NOT_OURS = {
  title: "The reply cannot be read",
  detail: "Something else than Lambert answers at this address.",
};

// The JSON of a reply. Throws Refused.
async function request(path, options = {}) {
  const headers = { Accept: "application/json" };
  if (options.body) headers["Content-Type"] = "application/json";
  if (by("key").value) headers.Authorization = `Bearer ${by("key").value}`;
  let response, text;
  try {
    response = await fetch(path, { ...options, headers, cache: "no-store" });
    text = await response.text();
  } catch {
    throw new Refused(0, NOT_REACHED);
  }
  const value = parseObject(text) ?? (response.ok ? null : {});
  if (value === null) throw new Refused(response.status, NOT_OURS);
  if (!response.ok) throw new Refused(response.status, value, secondsToWait(response.headers.get("Retry-After")));
  return value;
}

function parseObject(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

// Retry-After: seconds or a date.
function secondsToWait(header) {
  if (header === null) return null;
  const seconds = /^\d+$/.test(header) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.max(0, Math.ceil(seconds)) : null;
}

function setBusy(busy) {
  const stopping = document.activeElement === by("stop");
  by("stop").hidden = !busy;
  by("ask").textContent = busy ? "Asking…" : "Ask";
  by("result").classList.toggle("stale", busy);
  if (!busy) running = null;
  if (!busy && stopping) question.focus();
}

function stop() {
  running?.abort();
  setBusy(false);
  say("Stopped.");
}

// ---- Answers

function show(entry) {
  shown = entry;
  if (context.value !== entry.text) setText(entry.text, "");
  read(entry.text);
  by("result").hidden = false;
  by("asked").textContent = entry.question;
  by("candidate-list").replaceChildren(...entry.answers.map(candidate));
  by("candidates").hidden = entry.answers.length < 2;
  showHistory();
  choose(entry.chosen);
}

function candidate(answer, index) {
  const radio = make("input", { type: "radio", name: "candidate", checked: index === shown.chosen });
  radio.addEventListener("change", () => choose(index));
  const words = make("span", { className: "words", dir: "auto", textContent: answer.answer || "no answer" });
  const gauge = make("span", { className: "gauge" });
  gauge.style.setProperty("--score", `${100 * Math.min(1, answer.score)}%`);
  const score = make("span", { className: "score", textContent: percent(answer.score) });
  return make("label", { className: "candidate" }, radio, words, gauge, score);
}

function choose(index) {
  const answer = shown.answers[index];
  const words = answer?.answer || "No answer in this text";
  shown.chosen = index;
  by("answer").textContent = words;
  by("answer").classList.toggle("none", !answer?.answer);
  by("answer").classList.toggle("long", words.length > 120);
  showFigures(shown, answer);
  read(shown.text);
  mark(answer?.start ?? 0, answer?.end ?? 0);
  say(answer ? `${words}, ${percent(answer.score)}` : words);
}

function showFigures({ asked, timing, elapsed, no_answer_score: none }, answer) {
  const figures = [];
  if (answer) figures.push(`confidence ${percent(answer.score)}`);
  if (asked.handle_impossible_answer && answer?.answer && typeof none === "number") {
    figures.push(`no answer ${percent(none)}`);
  }
  figures.push(duration(timing?.total_ms ?? elapsed));
  if (timing) figures.push(count(timing.tokens, "token"), count(timing.windows, "window"));
  by("figures").textContent = figures.join(" · ");
}

function showHistory() {
  by("history").hidden = entries.length < 2;
  by("history-list").replaceChildren(...entries.map((entry) => {
    const button = make("button", { type: "button" },
      make("span", { className: "asked", dir: "auto", textContent: entry.question }),
      make("span", { dir: "auto", textContent: entry.answers[0]?.answer || "no answer" }));
    if (entry === shown) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => {
      const place = entries.indexOf(entry);
      calm();
      show(entry);
      question.value = entry.question;
      by("history-list").children[place].firstChild.focus();
    });
    return make("li", {}, button);
  }));
}

const percent = (score) => score >= 1 ? "100 %" // mode hf adds scores up
  : score > 0.995 ? "> 99 %"
  : score > 0 && score < 0.001 ? "< 0.1 %"
  : `${(100 * score).toFixed(score < 0.1 ? 1 : 0)} %`;
const duration = (ms) => ms < 9.95 ? `${ms.toFixed(1)} ms`
  : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
const count = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;
// Half of a pair of surrogates cannot be sent as UTF-8; U+FFFD in its place keeps all offsets.
const wellFormed = (text) => text.isWellFormed?.() ?? true ? text : text.toWellFormed();

// ---- What the reader is told

function say(words) {
  by("said").textContent = words;
}

function calm() {
  clearInterval(countdown);
  by("problem").hidden = true;
  by("problem-text").replaceChildren();
  for (const field of [context, question, by("key")]) field.removeAttribute("aria-invalid");
}

// Shows what went wrong; `field` is where it can be mended.
function complain(title, detail, field) {
  calm();
  by("problem").hidden = false;
  by("retry").hidden = true;
  by("problem-text").append(make("strong", { textContent: title }), make("p", { textContent: detail }));
  if (field === undefined) return;
  if (field === context) edit();
  field.setAttribute("aria-invalid", "true");
  field.focus();
}

function explain({ status, problem, message, wait }) {
  const errors = [problem.errors].flat().filter((one) => one instanceof Object);
  const pointer = String(errors[0]?.pointer ?? "");
  const field = /^#\/question/.test(pointer) ? question : /^#\/context/.test(pointer) ? context : undefined;
  const title = status === 401 ? keyTitle() : problem.title || `Error ${status}`;
  complain(title, message || `The server answered with status ${status}.`, field);
  for (const { detail } of errors) {
    if (detail && detail !== message) by("problem-text").append(make("p", { textContent: detail }));
  }
  if (status === 401) askForKey();
  if ([0, 408, 429, 500, 502, 503, 504].includes(status)) offerRetry(wait ?? 0);
  if (status === 0 || status === 503) serverIsAway(status);
}

const keyTitle = () => by("key").value ? "The API key is not accepted" : "An API key is needed";

function askForKey() {
  by("key-row").hidden = false;
  by("key").focus();
}

let countdown = 0;

function offerRetry(seconds) {
  const button = by("retry");
  const update = () => {
    button.disabled = seconds > 0;
    button.textContent = seconds > 0 ? `Try again in ${seconds} s` : "Try again";
    if (seconds-- <= 0) clearInterval(countdown);
  };
  button.hidden = false;
  countdown = setInterval(update, 1000);
  update();
}

// ---- The server

let polls = 0; // looks at the server since it was last ready
let poll = 0; // the timer of the next

// status: 503 while it loads its model or is about to stop, 0 where there is no reply.
function serverIsAway(status) {
  tellServer("away", status === 503 ? "the model is not ready yet" : "not reached; looking again");
  clearTimeout(poll);
  poll = setTimeout(lookAtServer, POLL_MS[Math.min(polls++, POLL_MS.length - 1)]);
}

function tellServer(state, words) {
  const server = by("server");
  server.className = `server ${state}`;
  if (server.textContent !== words) server.textContent = words; // it is read aloud
}

async function lookAtServer() {
  clearTimeout(poll);
  try {
    const info = await request("info");
    polls = 0;
    if (info.max_body_bytes > 0) maxBodyBytes = info.max_body_bytes;
    tellServer("ready", [info.model_id, info.precision].filter(Boolean).join(" · "));
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    if (error.status === 0 || error.status === 503) serverIsAway(error.status);
    if (error.status === 401) by("key-row").hidden = false;
  }
}

// ---- Events

by("form").addEventListener("submit", (event) => {
  event.preventDefault();
  ask();
});
by("stop").addEventListener("click", stop);
by("retry").addEventListener("click", () => {
  question.focus(); // the button goes away
  ask();
});
by("edit").addEventListener("click", () => {
  edit();
  context.focus();
});
by("undo").addEventListener("click", () => {
  edit();
  setText(replaced, "");
  context.focus();
});
context.addEventListener("input", forgetUndo);
context.addEventListener("paste", (event) => {
  const text = event.clipboardData?.getData("text/plain") ?? "";
  if (text.length < LARGE_PASTE) return;
  event.preventDefault();
  context.setRangeText(text, context.selectionStart, context.selectionEnd, "end");
  forgetUndo();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    ask();
  }
});
by("file").addEventListener("change", async ({ target }) => {
  if (target.files.length > 0) await openFile(target.files[0]);
  target.value = ""; // so that the same file can be opened again
});

const bringsFiles = (event) => event.dataTransfer?.types.includes("Files");
document.addEventListener("dragover", (event) => {
  if (!bringsFiles(event)) return;
  event.preventDefault();
  by("text-panel").classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (event.relatedTarget === null) by("text-panel").classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  by("text-panel").classList.remove("dropping");
  if (!bringsFiles(event)) return;
  event.preventDefault();
  openFile(event.dataTransfer.files[0]);
});

by("examples").append("Try ", ...EXAMPLES.map((example) => {
  const button = make("button", { type: "button", textContent: example.name });
  button.addEventListener("click", () => {
    edit();
    setText(example.text, "");
    question.value = example.question;
    ask();
  });
  return button;
}));
lookAtServer();
