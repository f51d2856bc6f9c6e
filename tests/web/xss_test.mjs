// Hostile texts, wherever text can come from, stay text. Each payload would set window.executed, open
// a dialog, load something or break the content security policy; withPage looks for all of these.
import assert from "node:assert/strict";
import { ADA, answerWith, ask, problem, replyOf, route, text, withPage } from "./harness.mjs";

export const PAYLOADS = [
  "<script>window.executed = 1</script>",
  "<script src=https://evil.invalid/x.js></script>",
  "<img src=x onerror=window.executed=1>",
  "<img src=https://evil.invalid/pixel.png>",
  "<svg onload=window.executed=1></svg>",
  "<svg><script>window.executed=1</script></svg>",
  "<svg><animate onbegin=window.executed=1 attributeName=x dur=1s></svg>",
  "<iframe src=\"javascript:parent.executed=1\"></iframe>",
  "<iframe srcdoc=\"<script>parent.executed=1</script>\"></iframe>",
  "<object data=\"javascript:window.executed=1\"></object>",
  "<embed src=\"data:text/html,<script>top.executed=1</script>\">",
  "<body onload=window.executed=1>",
  "<details open ontoggle=window.executed=1>x</details>",
  "<input autofocus onfocus=window.executed=1>",
  "<video><source onerror=window.executed=1></video>",
  "<a href=\"javascript:window.executed=1\">click</a>",
  "<form action=https://evil.invalid/><button>send</button></form>",
  "<style>@import 'https://evil.invalid/x.css'; body { display: none }</style>",
  "<link rel=stylesheet href=https://evil.invalid/x.css>",
  "<meta http-equiv=refresh content=\"0; url=https://evil.invalid/\">",
  "<base href=https://evil.invalid/>",
  "</textarea><script>window.executed=1</script>",
  "</mark></div></section><img src=x onerror=window.executed=1>",
  "\"><img src=x onerror=window.executed=1>",
  "'\"--></style></script><script>window.executed=1</script>",
  "<math><mtext><table><mglyph><style><img src=x onerror=window.executed=1></style></mglyph></table></mtext></math>",
  "<noscript><p title=\"</noscript><img src=x onerror=window.executed=1>\"></noscript>",
  "<template><script>window.executed=1</script></template>",
  "{{constructor.constructor('window.executed=1')()}}",
  "${window.executed=1}",
  "javascript:window.executed=1",
  "<scr\u0000ipt>window.executed=1</scr\u0000ipt>",
  "\u202e<img src=x onerror=window.executed=1>\u2028\u2029",
  "&lt;img src=x onerror=window.executed=1&gt;",
];

// The elements of the page, by number; the texts that it shows must not add any but its own.
const strangers = (page) => page.evaluate(() => [...document.body.querySelectorAll(
  "script, img, svg, iframe, object, embed, video, style, link, meta, base, math, template, details, form:not(#form), a:not(nav a)")]
  .map((element) => element.outerHTML));

async function settled(page) {
  await page.evaluate(() => new Promise((done) => { requestAnimationFrame(() => setTimeout(done, 0)); }));
  assert.deepEqual(await strangers(page), []);
}

const open = async (page, name, content) => {
  await page.setInputFiles("#file", { name, mimeType: "", buffer: Buffer.from(content) });
  await page.waitForFunction(() => document.getElementById("file").value === "");
};

export const tests = {
  async "the traps work"() {
    await assert.rejects(withPage({ allow: /Content Security Policy/ }, (page) => page.evaluate(() => {
      document.body.append(Object.assign(document.createElement("script"), { textContent: "window.executed = 1" }));
    })), /CSP: script-src-elem inline/);
    await assert.rejects(withPage({}, (page) => page.evaluate(() => { window.executed = 1; })), /executed/);
    await assert.rejects(withPage({}, (page) => page.evaluate(() => alert("x"))), /dialog: x/);
    await assert.rejects(withPage({}, (page) => page.evaluate(() => { console.error("x"); })), /console: x/);
    await assert.rejects(withPage({}, async (page) => {
      await page.evaluate(() => { document.body.append(document.createElement("img")); });
      await settled(page);
    }), /<img>/);
  },

  async "in text and question, answered by the server"() {
    await withPage({}, async (page) => {
      for (const payload of PAYLOADS) {
        const context = `${ADA} ${payload} ${ADA}`;
        const response = await ask(page, `Who wrote ${payload}?`, context);
        const shown = response.ok() ? await text(page, "#answer") : await text(page, "#problem-text");
        assert.ok(shown.length > 0, payload);
        await settled(page);
      }
    });
  },

  async "in answers, model and figures of the reply"() {
    await withPage({}, async (page) => {
      let payload = "";
      await route(page, "v1/answer", (to) => {
        const body = to.request().postDataJSON();
        const start = body.context.indexOf(payload);
        const answers = [{ start, end: start + payload.length, score: 0.5 }, { answer: payload, start: 0, end: 3, score: 0.4, document_id: payload }];
        return to.fulfill({ json: replyOf(body, answers, { model: payload, no_answer_score: payload }) });
      });
      for (payload of PAYLOADS) {
        const clean = payload.replaceAll("\0", "");
        payload = clean;
        await ask(page, "Who?", `${ADA} ${payload} ${ADA}`);
        assert.equal(await page.locator("mark").evaluate((mark) => mark.textContent), payload);
        await page.locator(".candidate").nth(1).click();
        assert.equal(await page.locator("#answer").evaluate((element) => element.textContent), payload);
        await settled(page);
      }
    });
  },

  async "in errors"() {
    await withPage({}, async (page) => {
      let payload = "";
      await route(page, "v1/answer", (to) => to.fulfill(problem(422, payload, payload, { errors: [{ pointer: payload, detail: `${payload}!` }] })));
      for (payload of PAYLOADS) {
        await ask(page, "Who?", ADA);
        assert.equal(await page.locator("#problem strong").evaluate((element) => element.textContent), payload);
        await settled(page);
      }
    });
  },

  async "in the model's name"() {
    for (const payload of PAYLOADS.slice(0, 6)) {
      await withPage({ prepare: (page) => route(page, "info", (to) => to.fulfill({ json: { model_id: payload, precision: payload } })) }, async (page) => {
        await page.locator("#server.ready").waitFor();
        assert.ok((await page.locator("#server").evaluate((element) => element.textContent)).startsWith(payload));
        await settled(page);
      });
    }
  },

  async "in names of files, good and bad"() {
    await withPage({}, async (page) => {
      for (const payload of PAYLOADS) {
        const name = payload.replaceAll("/", "∕").replaceAll("\0", "");
        await open(page, `${name}.txt`, ADA);
        assert.ok((await page.locator("#text-hint").evaluate((element) => element.textContent)).includes(name), payload);
        await open(page, `${name}.bin`, "\0");
        assert.ok((await page.locator("#problem-text").evaluate((element) => element.textContent)).includes(name), payload);
        await settled(page);
      }
    });
  },

  async "in files, as text and as HTML"() {
    await withPage({}, async (page) => {
      await answerWith(page, [{ start: 0, end: 3, score: 1 }]);
      for (const payload of PAYLOADS) {
        const clean = payload.replaceAll("\0", "");
        for (const name of ["x.txt", "x.html", "x.md"]) {
          await open(page, name, `<p>${ADA}</p> ${clean} <p>${ADA}</p>`);
          assert.ok((await page.inputValue("#context")).includes(ADA), `${name} ${payload}`);
          await ask(page, "Who?");
          await settled(page);
        }
      }
    });
  },
};
