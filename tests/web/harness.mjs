// What the tests of the pages share: a browser, pages that watch for anything forbidden, and what
// they show. A test is a function that gets BASE and throws where something is wrong.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { mkdirSync } from "node:fs";

const tools = createRequire(`${process.env.WEB_TOOLS}/`);
const { chromium } = tools("playwright-core");
const axe = tools("axe-core");

export const BASE = process.env.BASE_URL.replace(/\/$/, "");
export const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
  + "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
export const DESKTOP = { width: 1280, height: 800 };
export const PHONE = { width: 360, height: 740 };
export const ADA = "Ada Lovelace wrote the first program in 1843. Charles Babbage designed the machine in London.";

// All that the pages may ask for, and the icon in them.
const PATHS = "|docs|(page|docs)\\.js|page\\.css|openapi\\.json|info|livez|v1/answer|ask(\\?.*)?";
const OWN = new RegExp(`^(${BASE.replaceAll(".", "\\.")}/(${PATHS})(#.*)?|data:image/svg\\+xml.*)$`);

const WAIT = 30000; // ms until a test gives up
let browser;

export async function startBrowser() {
  browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium" });
  return browser.version();
}

export const stopBrowser = () => browser.close();

// Runs in the page before its own scripts.
function watch() {
  window.violations = [];
  document.addEventListener("securitypolicyviolation", (event) => {
    window.violations.push(`${event.effectiveDirective} ${event.blockedURI}`);
  });
}

// Opens `path` and hands it to `body`. Then nothing may have run, been asked for or been reported
// that is not the page's own. `allow`: what else the console may say.
export async function withPage({ path = "/", allow = null, viewport = DESKTOP, prepare = null, ...options }, body) {
  const context = await browser.newContext({ viewport, ...options });
  context.setDefaultTimeout(WAIT);
  const offences = [];
  try {
    const page = await context.newPage();
    await page.addInitScript(watch);
    page.on("dialog", (dialog) => {
      offences.push(`dialog: ${dialog.message()}`);
      dialog.dismiss();
    });
    page.on("pageerror", (error) => offences.push(`script: ${error.stack}`));
    page.on("request", (request) => {
      if (!OWN.test(request.url())) offences.push(`request: ${request.url()}`);
    });
    page.on("console", (message) => {
      const text = message.text();
      const failedRequest = /^Failed to load resource/.test(text); // the tests look at the reply
      if (message.type() === "error" && !failedRequest && !allow?.test(text)) offences.push(`console: ${text}`);
    });
    if (prepare) await prepare(page);
    await page.goto(BASE + path);
    await body(page);
    offences.push(...(await page.evaluate(() => window.violations)).map((text) => `CSP: ${text}`));
    if (await page.evaluate(() => window.executed !== undefined)) offences.push("executed");
    assert.deepEqual(offences, []);
  } finally {
    await context.close();
  }
}

// ---- Replies of a server that does as the test wants

export const route = (page, path, handler) => page.route(`${BASE}/${path}`, handler);

export function answerWith(page, answers, more = {}) {
  return route(page, "v1/answer", (to) => to.fulfill({ json: replyOf(to.request().postDataJSON(), answers, more) }));
}

export function replyOf({ context }, answers, more = {}) {
  const timing = { tokenize_ms: 0.2, queue_ms: 0, compute_ms: 9, total_ms: 9.3, windows: 1, tokens: 40 };
  const filled = answers.map((one) => ({ answer: context.slice(one.start, one.end), question: 0, document: 0, ...one }));
  return { answers: filled, no_answer_score: 0.1, model: "test", timing, ...more };
}

export function problem(status, title, detail, more = {}) {
  const { headers, ...members } = more;
  return {
    status,
    contentType: "application/problem+json",
    headers,
    body: JSON.stringify({ type: "about:blank", title, status, detail, error: detail, error_type: "invalid_input", ...members }),
  };
}

// ---- The page

// As the clipboard does it: Playwright's fill takes minutes for 1 MB.
export async function paste(page, content) {
  if (await page.locator("#edit").isVisible()) await page.click("#edit");
  await page.locator("#context").evaluate((field, words) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", words);
    field.select();
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, content);
}

export async function ask(page, question, text = null) {
  if (text !== null) {
    if (await page.locator("#edit").isVisible()) await page.click("#edit");
    await page.fill("#context", text);
  }
  await page.fill("#question", question);
  const arrives = page.waitForResponse((response) => response.url().endsWith("/v1/answer"));
  await page.click("#ask");
  const response = await arrives;
  await page.locator("#stop").waitFor({ state: "hidden" });
  return response;
}

// The text as it is read, and where it is marked, in UTF-16 units.
export function reading(page) {
  return page.evaluate(() => {
    const root = document.getElementById("reading");
    const marks = [...root.querySelectorAll("mark")].map((mark) => {
      const before = document.createRange();
      before.setStart(root, 0);
      before.setEndBefore(mark);
      const start = before.toString().length;
      return { start, end: start + mark.textContent.length, text: mark.textContent };
    });
    return { text: root.textContent, marks };
  });
}

export async function assertMarked(page, text, { start, end, answer }) {
  const shown = await reading(page);
  assert.equal(shown.text, text, "the text to read is the text that was asked about");
  assert.equal(text.slice(start, end), answer, "the reply's offsets are UTF-16 units");
  assert.deepEqual(shown.marks, [{ start, end, text: answer }]);
}

export const text = (page, selector) => page.locator(selector).innerText();
export const visible = (page, selector) => page.locator(selector).isVisible();
export const focused = (page) => page.evaluate(() => document.activeElement?.id || document.activeElement?.tagName);

// ---- Looks

export async function screenshot(page, name) {
  const folder = process.env.LAMBERT_SCREENSHOTS;
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

export async function assertAccessible(page, state) {
  if (!await page.evaluate(() => "axe" in window)) await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(() => window.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }));
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join("\n")}`);
  assert.deepEqual(found, [], state);
  assert.ok(passes.length > 15, `axe looked at the page: ${passes.length} rules passed`);
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  const { width } = page.viewportSize(); // innerWidth of a phone grows with the page
  assert.ok(wide <= width, `${state}: ${wide} px wide where there are ${width}`);
}
