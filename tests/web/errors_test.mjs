// What the page says when something is wrong.
import assert from "node:assert/strict";
import { BASE, ADA, answerWith, ask, assertMarked, focused, problem, replyOf, route, text, visible, withPage } from "./harness.mjs";

const FIRST = [{ start: 0, end: 12, score: 0.9 }];

// The server answers once as `reply` says, then as it would.
const once = (page, reply) => page.route(`${BASE}/v1/answer`, (to) => to.fulfill(reply), { times: 1 });

// The page's clock stands from now on, and moves by runFor only.
async function stopClock(page) {
  const now = Date.parse("2026-01-01T00:00:00Z");
  await page.clock.install({ time: now - 60000 });
  await page.clock.pauseAt(now);
  return now;
}

export const tests = {
  async "without a text or a question nothing is sent"() {
    await withPage({}, async (page) => {
      let asked = 0;
      page.on("request", (request) => { asked += request.url().endsWith("/v1/answer") ? 1 : 0; });
      await page.click("#ask");
      assert.match(await text(page, "#problem-text"), /^There is no text yet/);
      assert.equal(await focused(page), "context");
      assert.equal(await page.getAttribute("#context", "aria-invalid"), "true");
      await page.fill("#context", ADA);
      await page.click("#ask");
      assert.match(await text(page, "#problem-text"), /^There is no question yet/);
      assert.equal(await focused(page), "question");
      assert.equal(await page.getAttribute("#context", "aria-invalid"), null);
      assert.equal(asked, 0);
      await ask(page, "Who?");
      assert.equal(await visible(page, "#problem"), false);
    });
  },

  async "422 of the server: its words, at the field"() {
    await withPage({}, async (page) => {
      const response = await ask(page, "why ".repeat(450), ADA);
      assert.equal(response.status(), 422);
      const { title, detail } = await response.json();
      assert.equal(await text(page, "#problem strong"), title);
      assert.ok((await text(page, "#problem-text")).includes(detail));
      assert.equal(await page.locator("#problem-text").getAttribute("role"), "alert");
      assert.equal(await visible(page, "#retry"), false);
    });
  },

  async "422 with several places: each is told, the first has the focus"() {
    await withPage({}, async (page) => {
      await once(page, problem(422, "Unprocessable Content", "2 fields are wrong", { errors: [
        { pointer: "#/context", detail: "context: has no words" }, { pointer: "#/top_k", detail: "top_k: is 5" }] }));
      await ask(page, "Who?", ADA);
      const said = await text(page, "#problem-text");
      for (const words of ["Unprocessable Content", "2 fields are wrong", "context: has no words", "top_k: is 5"]) assert.ok(said.includes(words), words);
      assert.equal(await focused(page), "context");
      assert.equal(await page.getAttribute("#context", "aria-invalid"), "true");
    });
  },

  async "413: the server's limit"() {
    await withPage({}, async (page) => {
      await once(page, problem(413, "Content Too Large", "context: makes 2000 windows, at most 1024 are computed; send a shorter text"));
      await ask(page, "Who?", ADA);
      assert.match(await text(page, "#problem-text"), /Content Too Large\s+context: makes 2000 windows/);
      assert.equal(await visible(page, "#retry"), false);
    });
  },

  async "a text above the limit that GET info tells is not sent"() {
    await withPage({ prepare: (page) => route(page, "info", (to) => to.fulfill({ json: { model_id: "small", max_body_bytes: 1500 } })) }, async (page) => {
      await page.locator("#server.ready").waitFor();
      let asked = 0;
      page.on("request", (request) => { asked += request.url().endsWith("/v1/answer") ? 1 : 0; });
      await page.fill("#context", "ä".repeat(800));
      await page.fill("#question", "Who?");
      await page.click("#ask");
      assert.match(await text(page, "#problem-text"), /^The text is too large/);
      assert.equal(asked, 0);
    });
  },

  async "429: waits as long as Retry-After says, then tries again"() {
    await withPage({}, async (page) => {
      await stopClock(page);
      await once(page, problem(429, "Too Many Requests", "queue: 256 questions are waiting", { headers: { "Retry-After": "2" } }));
      const reply = await ask(page, "Who wrote the first program?", ADA);
      assert.equal(reply.status(), 429);
      assert.match(await text(page, "#problem-text"), /Too Many Requests\s+queue: 256/);
      const retry = page.locator("#retry");
      assert.equal(await retry.innerText(), "Try again in 2 s");
      assert.equal(await retry.isDisabled(), true);
      await page.clock.runFor(1000);
      assert.equal(await retry.innerText(), "Try again in 1 s");
      await page.clock.runFor(1000);
      assert.equal(await retry.innerText(), "Try again");
      await retry.click();
      await page.locator("#result").waitFor();
      assert.equal(await text(page, "#answer"), "Ada Lovelace");
      assert.equal(await visible(page, "#problem"), false);
      assert.equal(await focused(page), "question");
    });
  },

  async "Retry-After may be a date"() {
    await withPage({}, async (page) => {
      const now = await stopClock(page);
      await once(page, problem(503, "Service Unavailable", "stopping", { headers: { "Retry-After": new Date(now + 30000).toUTCString() } }));
      await ask(page, "Who?", ADA);
      assert.equal(await text(page, "#retry"), "Try again in 30 s");
    });
  },

  async "503: the model is being loaded; the page notices when it is ready"() {
    let ready = false;
    const loading = problem(503, "Service Unavailable", "server: the model is being loaded", { headers: { "Retry-After": "1" } });
    const prepare = (page) => route(page, "info", (to) => ready ? to.fulfill({ json: { model_id: "late", precision: "int8" } }) : to.fulfill(loading));
    await withPage({ prepare }, async (page) => {
      await page.locator("#server.away").waitFor();
      assert.equal(await text(page, "#server"), "the model is not ready yet");
      await once(page, loading);
      await ask(page, "Who?", ADA);
      assert.match(await text(page, "#problem-text"), /the model is being loaded/);
      ready = true;
      await page.locator("#server.ready").waitFor();
      assert.equal(await text(page, "#server"), "late · int8");
    });
  },

  async "401: the key is asked for, sent as Bearer, kept nowhere"() {
    await withPage({}, async (page) => {
      assert.equal(await visible(page, "#key-row"), false);
      const seen = [];
      await route(page, "v1/answer", (to) => {
        const key = to.request().headers().authorization;
        seen.push(key);
        const refused = problem(401, "Unauthorized", "Authorization: is missing", { headers: { "WWW-Authenticate": "Bearer" } });
        return to.fulfill(key === "Bearer s3cret" ? { json: replyOf({ context: ADA }, FIRST) } : refused);
      });
      await ask(page, "Who?", ADA);
      assert.equal(await text(page, "#problem strong"), "An API key is needed");
      assert.equal(await focused(page), "key");
      assert.equal(await page.getAttribute("#key", "type"), "password");
      await page.keyboard.type("wrong");
      await page.keyboard.press("Enter");
      await page.getByText("The API key is not accepted").waitFor();
      await page.fill("#key", "with späces");
      await page.keyboard.press("Enter");
      await page.getByText("The API key cannot be sent").waitFor();
      await page.fill("#key", "s3cret");
      await page.keyboard.press("Enter");
      await page.locator("#result").waitFor();
      assert.deepEqual(seen, [undefined, "Bearer wrong", "Bearer s3cret"]);
      const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]));
      assert.ok(!kept.includes("s3cret"), kept);
      await page.reload();
      assert.equal(await page.inputValue("#key"), "");
    });
  },

  async "401 of GET info shows the field at once"() {
    await withPage({ prepare: (page) => route(page, "info", (to) => to.fulfill(problem(401, "Unauthorized", "no key"))) }, async (page) => {
      await page.locator("#key-row").waitFor();
    });
  },

  async "a server that is gone: told, looked for, found again, the text still there"() {
    await withPage({}, async (page) => {
      await page.locator("#server.ready").waitFor();
      const ready = await text(page, "#server");
      let gone = true;
      for (const path of ["v1/answer", "info"]) {
        await route(page, path, (to) => gone ? to.abort("connectionrefused") : to.fallback());
      }
      await page.fill("#context", ADA);
      await page.fill("#question", "Who wrote the first program?");
      await page.click("#ask");
      await page.getByText("The server cannot be reached").waitFor();
      assert.equal(await text(page, "#server"), "not reached; looking again");
      assert.equal(await page.inputValue("#context"), ADA);
      gone = false;
      await page.locator("#server.ready").waitFor();
      assert.equal(await text(page, "#server"), ready);
      await page.click("#retry");
      await page.locator("#result").waitFor();
      assert.equal(await text(page, "#answer"), "Ada Lovelace");
    });
  },

  async "offline from the start"() {
    let gone = true;
    await withPage({ prepare: (page) => route(page, "info", (to) => gone ? to.abort() : to.fallback()) }, async (page) => {
      await page.locator("#server.away").waitFor();
      gone = false;
      await page.locator("#server.ready").waitFor();
    });
  },

  async "replies that are not Lambert's"() {
    const others = [
      [{ status: 200, contentType: "text/html", body: "<h1>Welcome</h1>" }, "The reply cannot be read"],
      [{ status: 200, json: { hello: "world" } }, "The reply cannot be read"],
      [{ status: 200, body: "null" }, "The reply cannot be read"],
      [{ status: 502, contentType: "text/html", body: "<h1>Bad Gateway</h1>" }, "Error 502"],
      [{ status: 500, body: "" }, "Error 500"],
      [{ status: 504, json: "late" }, "Error 504"],
      [{ status: 403, json: { error: "only from inside" } }, "Error 403"],
    ];
    await withPage({}, async (page) => {
      for (const [reply, title] of others) {
        await once(page, reply);
        await ask(page, "Who?", ADA);
        assert.equal(await text(page, "#problem strong"), title);
        assert.equal(await visible(page, "#retry"), reply.status >= 500);
      }
      assert.match(await text(page, "#problem-text"), /only from inside/);
    });
  },

  async "an error leaves the answer before it, and the next answer takes the error away"() {
    await withPage({}, async (page) => {
      await answerWith(page, FIRST);
      await ask(page, "Who?", ADA);
      await once(page, problem(500, "Internal Server Error", "internal error"));
      await ask(page, "When?");
      assert.equal(await text(page, "#answer"), "Ada Lovelace");
      assert.equal(await visible(page, "#problem"), true);
      await ask(page, "When?");
      assert.equal(await visible(page, "#problem"), false);
      await assertMarked(page, ADA, { start: 0, end: 12, answer: "Ada Lovelace" });
    });
  },
};
