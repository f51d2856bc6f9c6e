// The reference of the API and its forms.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { BASE, problem, route, text, visible, withPage } from "./harness.mjs";

const api = async () => (await fetch(`${BASE}/openapi.json`)).json();

async function open(page, id) {
  await page.locator(`#${id} > summary`).click();
  await page.locator(`#${id} form`).waitFor();
}

async function send(page, id) {
  await page.locator(`#${id} button`, { hasText: "Send" }).click();
  await page.locator(`#${id} .reply .body`).waitFor();
  return { status: await text(page, `#${id} .reply strong`), headers: await text(page, `#${id} .headers`), body: await text(page, `#${id} .body`) };
}

const curl = (page, id) => page.locator(`#${id} .curl`).evaluate((element) => element.textContent);

export const tests = {
  async "every operation is there, with its replies"() {
    const { paths } = await api();
    await withPage({ path: "/docs" }, async (page) => {
      await page.locator(".operation").first().waitFor();
      const wanted = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods)
        .map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })));
      assert.equal(await page.locator(".operation").count(), wanted.length);
      for (const { path, method, operation } of wanted) {
        const entry = page.locator(`#${operation.operationId}`);
        assert.equal(await entry.locator("summary").evaluate((summary) => [...summary.children].map((part) => part.textContent).join(" ")),
          `${method} ${path} ${operation.summary}`);
        await open(page, operation.operationId);
        const shown = await entry.locator(":scope > table th").allInnerTexts();
        assert.deepEqual(shown, Object.keys(operation.responses), operation.operationId);
      }
    });
  },

  async "a question is sent and answered; curl gets the same"() {
    await withPage({ path: "/docs" }, async (page) => {
      await open(page, "answer");
      const { status, headers, body } = await send(page, "answer");
      assert.match(status, /^200/);
      assert.match(headers, /^content-type: application\/json/m);
      const shown = JSON.parse(body);
      const [, fromCurl] = execFileSync("bash", ["-c", `${await curl(page, "answer")} --silent`], { encoding: "utf8" }).split(/\r\n\r\n/);
      assert.deepEqual(JSON.parse(fromCurl).answers, shown.answers);
    });
  },

  async "another example, an edited body, an error"() {
    await withPage({ path: "/docs" }, async (page) => {
      await open(page, "answer");
      await page.selectOption("#answer-example", "nothing");
      assert.equal(JSON.parse(await page.inputValue("#answer-body")).handle_impossible_answer, true);
      assert.match(await curl(page, "answer"), /handle_impossible_answer/);
      await page.fill("#answer-body", "{\"question\": \"Who's there?\"}");
      assert.match(await curl(page, "answer"), /-d '\{"question": "Who'\\''s there\?"\}'$/);
      const { status, body } = await send(page, "answer");
      assert.match(status, /^422/);
      assert.match(JSON.parse(body).detail, /context/);
      await page.fill("#answer-body", "{");
      await page.focus("#answer-body");
      await page.keyboard.press("Control+Enter");
      await page.locator("#answer .reply strong", { hasText: "400" }).waitFor();
    });
  },

  async "fields of a URL"() {
    await withPage({ path: "/docs" }, async (page) => {
      await open(page, "askByUrl");
      await page.fill("#askByUrl-question", "Who wrote & what?");
      await page.selectOption("#askByUrl-mode", "squad");
      const command = await curl(page, "askByUrl");
      assert.ok(command.startsWith(`curl -i '${BASE}/ask?question=Who+wrote+%26+what%3F&context=`), command);
      assert.ok(command.includes("&mode=squad"));
      const { status, body } = await send(page, "askByUrl");
      assert.match(status, /^200/);
      assert.ok("answer" in JSON.parse(body));
    });
  },

  async "a link to one operation opens it"() {
    await withPage({ path: "/docs#livez" }, async (page) => {
      await page.locator("#livez form").waitFor();
      assert.match((await send(page, "livez")).status, /^200/);
    });
  },

  async "a key is asked for after a 401, and no command shows it"() {
    await withPage({ path: "/docs" }, async (page) => {
      await open(page, "info");
      assert.equal(await visible(page, "#key-row"), false);
      const seen = [];
      await route(page, "info", (to) => {
        seen.push(to.request().headers().authorization);
        return to.fulfill(problem(401, "Unauthorized", "no key"));
      });
      await send(page, "info");
      await page.fill("#key", "s3cret");
      await send(page, "info");
      await page.waitForFunction(() => document.querySelector("#info .curl").textContent.includes("$LAMBERT_API_KEY"));
      assert.deepEqual(seen, [undefined, "Bearer s3cret"]);
      assert.ok(!(await curl(page, "info")).includes("s3cret"));
    });
  },

  async "replies are text, whatever they hold"() {
    await withPage({ path: "/docs" }, async (page) => {
      await open(page, "page");
      const { status, body } = await send(page, "page"); // HTML with a script
      assert.match(status, /^200/);
      assert.match(body, /<script src="page.js"/);
      await route(page, "livez", (to) => to.fulfill({ body: "<img src=x onerror=window.executed=1>" }));
      await open(page, "livez");
      assert.equal((await send(page, "livez")).body, "<img src=x onerror=window.executed=1>");
    });
  },

  async "without openapi.json it says so"() {
    await withPage({ path: "/docs", prepare: (page) => route(page, "openapi.json", (to) => to.fulfill({ status: 503 })) }, async (page) => {
      await page.getByText("openapi.json cannot be read: status 503").waitFor();
    });
  },
};
