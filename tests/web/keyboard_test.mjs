// Everything with the keyboard alone, and the focus always seen.
import assert from "node:assert/strict";
import { ADA, answerWith, assertMarked, focused, problem, reading, route, text, visible, withPage } from "./harness.mjs";

const ANSWERS = [{ start: 0, end: 12, score: 0.9 }, { start: 40, end: 44, score: 0.05 }, { start: 46, end: 61, score: 0.01 }];

// Presses Tab until the focus has been everywhere. Returns the places it came by, from the top.
async function tabStops(page, key = "Tab") {
  const stops = [];
  await page.evaluate(() => { for (const element of document.querySelectorAll("[data-stop]")) delete element.dataset.stop; });
  for (let i = 0; i < 60; ++i) {
    await page.keyboard.press(key);
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      if (element === document.body || element === null) return "outside";
      if (element.dataset.stop) return "again";
      const shown = element.id === "file" ? element.parentElement : element;
      const { outlineStyle, outlineWidth } = getComputedStyle(shown);
      const { width, height } = shown.getBoundingClientRect();
      element.dataset.stop = "1";
      const name = element.id || element.textContent.trim().slice(0, 20) || element.name;
      return { name, seen: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 && width > 8 && height > 8 };
    });
    if (stop === "outside") continue;
    if (stop !== "again") {
      stops.push(stop);
      continue;
    }
    const top = stops.findIndex(({ name }) => name === "API");
    const order = key === "Tab" ? [stops.slice(top), stops.slice(0, top)] : [stops.slice(top + 1), stops.slice(0, top + 1)];
    return order.flat();
  }
  throw new Error(`no end: ${stops.map(({ name }) => name).join(", ")}`);
}

// Names of what can be used but was not reached. Of radio buttons one stands for all.
const missed = (page) => page.evaluate(() => [...document.querySelectorAll("a, button, input, select, textarea, summary, [tabindex]")]
  .filter((element) => element.checkVisibility() && !element.disabled && !element.dataset.stop && !(element.type === "radio" && !element.checked))
  .map((element) => element.id || element.outerHTML));

async function assertAllReached(page) {
  const forth = await tabStops(page);
  assert.deepEqual(forth.filter(({ seen }) => !seen), [], "the focus is seen");
  assert.deepEqual(await missed(page), []);
  const back = await tabStops(page, "Shift+Tab");
  assert.deepEqual(back.map(({ name }) => name).reverse(), forth.map(({ name }) => name), "backwards too");
  return forth.length;
}

export const tests = {
  async "Tab reaches everything: empty, answered, with an error and a key"() {
    await withPage({}, async (page) => {
      const empty = await assertAllReached(page);
      await answerWith(page, ANSWERS);
      await page.fill("#context", ADA);
      for (const question of ["Who?", "When?"]) {
        await page.fill("#question", question);
        await page.keyboard.press("Enter");
        await page.locator("#asked", { hasText: question }).waitFor();
      }
      const answered = await assertAllReached(page);
      assert.ok(answered >= empty + 4, `${empty} stops, then ${answered}`);
      await route(page, "v1/answer", (to) => to.fulfill(problem(429, "Too Many Requests", "full")));
      await page.keyboard.press("Escape");
      await page.focus("#question");
      await page.keyboard.press("Enter");
      await page.locator("#retry").waitFor();
      await route(page, "v1/answer", (to) => to.fulfill(problem(401, "Unauthorized", "no key")));
      await page.focus("#question");
      await page.keyboard.press("Enter");
      await page.locator("#key-row").waitFor();
      await assertAllReached(page);
    });
  },

  async "write, ask, choose, ask again, edit: no mouse, the focus never lost"() {
    await withPage({}, async (page) => {
      const seen = [];
      const note = async () => seen.push(await focused(page));
      await answerWith(page, ANSWERS);
      await page.focus("#context");
      await page.keyboard.insertText(ADA);
      await page.keyboard.press("Tab");
      while (await focused(page) !== "question") await page.keyboard.press("Tab");
      await page.keyboard.type("Who wrote it?");
      await page.keyboard.press("Enter");
      await page.locator("#result").waitFor();
      await note();
      while (!await page.evaluate(() => document.activeElement.type === "radio")) await page.keyboard.press("Tab");
      for (const i of [1, 2, 0, 2]) {
        await page.keyboard.press(i === 2 && (await reading(page)).marks[0].start === 0 ? "ArrowUp" : "ArrowDown");
        await assertMarked(page, ADA, { ...ANSWERS[i], answer: ADA.slice(ANSWERS[i].start, ANSWERS[i].end) });
      }
      while (await focused(page) !== "edit") await page.keyboard.press("Shift+Tab");
      await page.keyboard.press("Enter");
      assert.equal(await focused(page), "context");
      await page.keyboard.press("Control+Home");
      await page.keyboard.type("So: ");
      await page.keyboard.press("Control+Enter");
      await page.locator("#reading").waitFor();
      assert.equal(await focused(page), "reading");
      assert.equal((await reading(page)).text, `So: ${ADA}`);
      await note();
      assert.deepEqual(seen, ["question", "reading"]);
    });
  },

  async "Ctrl+Enter and Command+Enter ask from anywhere"() {
    await withPage({}, async (page) => {
      await answerWith(page, ANSWERS);
      await page.fill("#context", ADA);
      await page.fill("#question", "Who?");
      let asked = 0;
      page.on("request", (request) => { asked += request.url().endsWith("/v1/answer") ? 1 : 0; });
      for (const [field, keys] of [["#impossible", "Control+Enter"], ["#question", "Meta+Enter"], ["#question", "Control+Enter"]]) {
        const arrives = page.waitForResponse((response) => response.url().endsWith("/v1/answer"));
        await page.focus(field);
        await page.keyboard.press(keys);
        await arrives;
        await page.locator("#stop").waitFor({ state: "hidden" });
      }
      assert.equal(asked, 3, "once each");
    });
  },

  async "the reader of the screen is told: labels, landmarks, what changes"() {
    await withPage({}, async (page) => {
      for (const [role, name] of [["banner"], ["main"], ["navigation", "Pages"], ["region", "Text"], ["region", "Question"],
        ["textbox", "Text"], ["textbox", "Question"], ["checkbox", "Allow “no answer”"], ["combobox", "Candidates"],
        ["button", "Ask"], ["group", "Examples"]]) {
        assert.equal(await page.getByRole(role, { name, exact: true }).count(), 1, `${role} ${name}`);
      }
      assert.equal(await page.getByLabel("Open file").count(), 1);
      await answerWith(page, ANSWERS);
      await page.fill("#context", ADA);
      await page.fill("#question", "Who?");
      await page.keyboard.press("Enter");
      await page.getByRole("status").getByText("Ada Lovelace, 90 %").waitFor({ state: "attached" });
      assert.equal(await page.getByRole("group", { name: "Candidates" }).getByRole("radio").count(), 3);
      assert.equal(await page.getByRole("radio", { name: "1843" }).count(), 1);
      assert.equal(await page.getByRole("region", { name: "Text with the answer marked" }).count(), 1);
      assert.equal(await visible(page, "#context"), false);
      assert.equal(await text(page, "mark"), "Ada Lovelace");
    });
  },
};
