// Asking, and the answer where it stands.
import assert from "node:assert/strict";
import { BASE, ADA, CSP, answerWith, ask, assertMarked, focused, paste, reading, replyOf, route, text, visible, withPage } from "./harness.mjs";

export const tests = {
  async "the page has the contract's security headers"() {
    for (const path of ["/", "/docs", "/page.js", "/page.css", "/docs.js"]) {
      const { headers, status } = await fetch(BASE + path);
      assert.equal(status, 200, path);
      assert.equal(headers.get("content-security-policy"), CSP, path);
      assert.equal(headers.get("x-content-type-options"), "nosniff", path);
      assert.equal(headers.get("referrer-policy"), "no-referrer", path);
    }
  },

  async "an answer is marked exactly where it stands"() {
    await withPage({}, async (page) => {
      const response = await ask(page, "Who wrote the first program?", ADA);
      const { answers } = await response.json();
      assert.equal(answers[0].answer, "Ada Lovelace");
      await assertMarked(page, ADA, answers[0]);
      assert.equal(await text(page, "#answer"), "Ada Lovelace");
      assert.match(await text(page, "#figures"), /^confidence .* % · .* ms · \d+ tokens · 1 window$/);
      assert.match(await text(page, "#said"), /^Ada Lovelace, .* %$/);
    });
  },

  async "the request is as the contract has it"() {
    await withPage({}, async (page) => {
      const request = (await ask(page, "  Who? ", ADA)).request();
      assert.equal(request.method(), "POST");
      assert.equal(request.headers()["content-type"], "application/json");
      assert.equal(request.headers().authorization, undefined);
      assert.deepEqual(request.postDataJSON(), {
        question: "Who?", context: ADA, top_k: 5, handle_impossible_answer: false, offset_type: "utf16",
      });
    });
  },

  async "emoji, flags, accents and other planes before the answer do not move it"() {
    const before = ["😀 ", "👩‍👩‍👧‍👦🇩🇪 ", "𝔏𝔞𝔪𝔟𝔢𝔯𝔱 ", "e\u0301 und ä ", "שלום עולם ", "漢字𠮷 ", "\u{1F3F4}\u{E0067}\u{E0062}\u{E0065}\u{E006E}\u{E0067}\u{E007F}\n\n"];
    await withPage({}, async (page) => {
      for (const prefix of [...before, before.join("")]) {
        const context = prefix + ADA;
        const { answers } = await (await ask(page, "Who wrote the first program?", context)).json();
        assert.ok(answers[0].answer.includes("Lovelace"), `${prefix}: ${answers[0].answer}`);
        await assertMarked(page, context, answers[0]);
      }
    });
  },

  async "line ends of Windows, tabs and runs of spaces stay"() {
    await withPage({}, async (page) => {
      const { answers } = await (await ask(page, "Who wrote the first program?", `One.\r\n\r\n\tTwo   \r${ADA}\n`)).json();
      await assertMarked(page, `One.\n\n\tTwo   \n${ADA}\n`, answers[0]); // as fields of a form have them
    });
  },

  async "half a surrogate pair is sent as U+FFFD"() {
    await withPage({}, async (page) => {
      const half = String.fromCharCode(0xd83d);
      const { answers } = await (await ask(page, "Who wrote the first program?", `${half} ${ADA}`)).json();
      await assertMarked(page, `\ufffd ${ADA}`, answers[0]);
    });
  },

  async "choosing a candidate moves the mark"() {
    await withPage({}, async (page) => {
      const { answers } = await (await ask(page, "Who designed the machine?", ADA)).json();
      assert.ok(answers.length > 2, `${answers.length} candidates`);
      assert.equal(await page.locator(".candidate").count(), answers.length);
      for (const i of [2, 1, 0]) {
        await page.locator(".candidate").nth(i).click();
        await assertMarked(page, ADA, answers[i]);
        assert.equal(await text(page, "#answer"), answers[i].answer);
        assert.ok((await text(page, "#said")).startsWith(answers[i].answer));
      }
    });
  },

  async "as many candidates as wanted; one is no list"() {
    await withPage({}, async (page) => {
      await page.selectOption("#top-k", "1");
      await ask(page, "Who?", ADA);
      assert.equal(await visible(page, "#candidates"), false);
      await page.selectOption("#top-k", "3");
      const response = await ask(page, "Who?");
      assert.equal(response.request().postDataJSON().top_k, 3);
      assert.equal(await page.locator(".candidate").count(), (await response.json()).answers.length);
    });
  },

  async "several questions in a row, each shown again with its text"() {
    const other = "🚀 Neil Armstrong walked on the Moon in 1969.";
    await withPage({}, async (page) => {
      const asked = [];
      for (const [question, context] of [["Who wrote the first program?", ADA], ["When?", null], ["Who walked on the Moon?", other]]) {
        const { answers } = await (await ask(page, question, context)).json();
        asked.unshift({ question, answer: answers[0], context: context ?? ADA });
      }
      const entries = page.locator("#history-list button");
      assert.equal(await entries.count(), 3);
      for (const i of [2, 0, 1]) {
        await entries.nth(i).click();
        const { question, answer, context } = asked[i];
        assert.equal(await text(page, "#asked"), question);
        assert.equal(await page.inputValue("#question"), question);
        assert.equal(await entries.nth(i).getAttribute("aria-current"), "true");
        assert.equal(await page.locator("#history-list [aria-current]").count(), 1);
        assert.equal(await entries.nth(i).evaluate((button) => button === document.activeElement), true);
        await assertMarked(page, context, answer);
      }
    });
  },

  async "no answer can be allowed, and is shown as such"() {
    await withPage({}, async (page) => {
      await page.check("#impossible");
      await page.selectOption("#top-k", "10");
      const real = await ask(page, "Who built the ship?", "Nothing here.");
      assert.equal(real.request().postDataJSON().handle_impossible_answer, true);
      assert.ok((await real.json()).answers.some(({ answer }) => answer === ""), "one of the candidates is no answer");
      await answerWith(page, [{ start: 0, end: 0, score: 0.7 }, { start: 0, end: 3, score: 0.2 }], { no_answer_score: 0.7 });
      await ask(page, "Who built the ship?", ADA);
      assert.equal(await text(page, "#answer"), "No answer in this text");
      assert.deepEqual((await reading(page)).marks, []);
      assert.equal(await text(page, ".candidate >> nth=0"), "no answer\n70 %");
      assert.match(await text(page, "#figures"), /^confidence 70 % · 9.3 ms/);
      await page.locator(".candidate").nth(1).click();
      assert.deepEqual((await reading(page)).marks, [{ start: 0, end: 3, text: "Ada" }]);
      assert.match(await text(page, "#figures"), /^confidence 20 % · no answer 70 % · 9.3 ms/);
    });
  },

  async "no answers at all, and scores above 1"() {
    await withPage({}, async (page) => {
      await answerWith(page, []);
      await ask(page, "Who?", ADA);
      assert.equal(await text(page, "#answer"), "No answer in this text");
      await page.unroute(`${BASE}/v1/answer`);
      await answerWith(page, [{ start: 0, end: 3, score: 1.25 }, { start: 4, end: 12, score: 0.00001 }]);
      await ask(page, "Who?");
      assert.deepEqual(await page.locator(".score").allInnerTexts(), ["100 %", "< 0.1 %"]);
    });
  },

  async "an answer over the border of two blocks is one piece of text"() {
    const line = "Ada Lovelace wrote the first program in 1843, which nobody could run.\n";
    const long = line.repeat(400);
    await withPage({}, async (page) => {
      const blocks = () => page.evaluate(() => [...document.querySelectorAll(".block")].map((block) => block.textContent.length));
      await answerWith(page, [{ start: 0, end: 3, score: 0.5 }]);
      await ask(page, "Who?", long);
      const border = (await blocks())[0];
      assert.ok((await blocks()).length > 3);
      await page.unroute(`${BASE}/v1/answer`);
      await answerWith(page, [{ start: border - 8, end: border + 12, score: 0.5 }]);
      await ask(page, "Who?");
      const { marks, text: shown } = await reading(page);
      assert.equal(shown, long);
      assert.deepEqual(marks.map(({ start, end }) => [start, end]), [[border - 8, border], [border, border + 12]]);
    });
  },

  async "a text of 1 MB stays usable: its last answer comes into sight"() {
    const long = "The quick brown fox jumps over the lazy dog. Nothing happened.\n\n".repeat(16400);
    const context = `${long}${ADA}`;
    assert.ok(context.length > 1e6);
    await withPage({}, async (page) => {
      const start = context.indexOf("Charles");
      await answerWith(page, [{ start, end: start + 15, score: 0.9 }, { start: 4, end: 9, score: 0.1 }, { start: 500000, end: 500010, score: 0.05 }]);
      await paste(page, context);
      assert.equal((await page.inputValue("#context")).length, context.length);
      await ask(page, "Who designed the machine?");
      const sights = [];
      for (const i of [0, 1, 2, 0]) {
        const begin = Date.now();
        await page.locator(".candidate").nth(i).click();
        const inSight = () => page.evaluate(async (frames) => {
          for (let frame = 0; frame < frames; ++frame) await new Promise(requestAnimationFrame);
          const frame = document.getElementById("reading").getBoundingClientRect();
          const place = document.querySelector("mark").getBoundingClientRect();
          return place.top >= frame.top && place.bottom <= frame.bottom;
        }, 8);
        assert.ok(await inSight(), `candidate ${i} is in sight`);
        sights.push(Date.now() - begin);
        assert.ok(await inSight(), `candidate ${i} stays in sight`);
      }
      console.log(`notice: a mark in a text of 1 MB moves in ${Math.max(...sights)} ms at most`);
      const { marks } = await reading(page);
      assert.deepEqual(marks, [{ start, end: start + 15, text: "Charles Babbage" }]);
      await page.click("#edit");
      await page.keyboard.press("Control+End");
      await page.keyboard.type("!");
      assert.equal((await page.inputValue("#context")).length, context.length + 1);
    });
  },

  async "examples ask with one click"() {
    await withPage({}, async (page) => {
      const examples = page.locator("#examples button");
      for (let i = 0; i < await examples.count(); ++i) {
        const arrives = page.waitForResponse((response) => response.url().endsWith("/v1/answer"));
        await examples.nth(i).click();
        const response = await arrives;
        await page.locator("#stop").waitFor({ state: "hidden" });
        const { answers } = await response.json();
        await assertMarked(page, response.request().postDataJSON().context, answers[0]);
      }
      assert.equal(await page.locator("#history-list button").count(), await examples.count());
    });
  },

  async "a question on its way can be stopped"() {
    await withPage({}, async (page) => {
      let release;
      const held = new Promise((done) => { release = done; });
      await route(page, "v1/answer", async (to) => {
        await held;
        await to.fulfill({ json: replyOf(to.request().postDataJSON(), [{ start: 0, end: 3, score: 1 }]) }).catch(() => {});
      });
      await page.fill("#context", ADA);
      await page.fill("#question", "Who?");
      await page.click("#ask");
      await page.locator("#stop").waitFor();
      assert.equal(await text(page, "#ask"), "Asking…");
      await page.click("#stop");
      release();
      assert.equal(await visible(page, "#stop"), false);
      assert.equal(await visible(page, "#result"), false);
      assert.equal(await visible(page, "#problem"), false);
      assert.equal(await focused(page), "question");
      assert.equal(await text(page, "#said"), "Stopped.");
    });
  },

  async "a later question goes before an earlier one that is still on its way"() {
    await withPage({}, async (page) => {
      let release;
      const held = new Promise((done) => { release = done; });
      await route(page, "v1/answer", async (to) => {
        const body = to.request().postDataJSON();
        if (body.question === "First?") await held;
        await to.fulfill({ json: replyOf(body, [{ start: 0, end: 3, score: 1 }]) }).catch(() => {});
      });
      await page.fill("#context", ADA);
      await page.fill("#question", "First?");
      await page.click("#ask");
      await page.fill("#question", "Second?");
      await page.click("#ask");
      await page.locator("#stop").waitFor({ state: "hidden" });
      release();
      assert.equal(await text(page, "#asked"), "Second?");
      assert.equal(await visible(page, "#history"), false);
    });
  },
};
