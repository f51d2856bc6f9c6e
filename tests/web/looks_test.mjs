// What axe finds, whether everything fits, and pictures, in light and dark, on a desk and on a phone.
import { ADA, DESKTOP, PHONE, answerWith, ask, assertAccessible, problem, route, screenshot, withPage } from "./harness.mjs";

const LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft".repeat(4);

async function everyState(page, name) {
  const look = async (state) => {
    await page.mouse.move(0, 0);
    await assertAccessible(page, `${name}: ${state}`);
    await screenshot(page, `${name}-${state}`);
  };
  await page.locator("#server.ready").waitFor();
  await look("empty");
  for (const example of [2, 1, 0]) {
    const arrives = page.waitForResponse((response) => response.url().endsWith("/v1/answer"));
    await page.locator("#examples button").nth(example).click();
    await arrives;
    await page.locator("#stop").waitFor({ state: "hidden" });
  }
  await look("answered");
  await page.locator(".candidate").nth(1).click();
  await look("candidate");
  await page.focus("#question");
  await page.check("#impossible");
  await answerWith(page, [{ start: 0, end: 0, score: 0.81 }, { start: 0, end: 12, score: 0.1 }]);
  await ask(page, "Who built the ship?", ADA);
  await look("no-answer");
  await answerWith(page, [{ start: 0, end: 100, score: 0.5 }, { start: 0, end: LONG.length, score: 0.4 }]);
  await ask(page, LONG, LONG);
  await look("long-words");
  await route(page, "v1/answer", (to) => to.fulfill(problem(429, "Too Many Requests", "queue: 256 questions are waiting, which is the limit; try again later", { headers: { "Retry-After": "7" } })));
  await ask(page, "Who wrote the first program?", ADA);
  await look("busy-server");
  await route(page, "v1/answer", (to) => to.fulfill(problem(401, "Unauthorized", "Authorization: is missing; send \"Authorization: Bearer KEY\"")));
  await ask(page, "Who wrote the first program?", ADA);
  await look("key");
}

const looks = [];
for (const colorScheme of ["light", "dark"]) {
  for (const [screen, viewport] of [["desktop", DESKTOP], ["phone", PHONE]]) looks.push({ colorScheme, screen, viewport });
}

export const tests = Object.fromEntries(looks.flatMap(({ colorScheme, screen, viewport }) => [
  [`the page, ${screen}, ${colorScheme}`, () => withPage({ colorScheme, viewport, isMobile: screen === "phone", hasTouch: screen === "phone", reducedMotion: "reduce" },
    (page) => everyState(page, `page-${screen}-${colorScheme}`))],
  [`the reference, ${screen}, ${colorScheme}`, () => withPage({ colorScheme, viewport, path: "/docs", reducedMotion: "reduce" }, async (page) => {
    const name = `docs-${screen}-${colorScheme}`;
    await page.locator("#answer").waitFor();
    await assertAccessible(page, name);
    await screenshot(page, name);
    await page.locator("#answer summary").click();
    await page.locator("#answer button", { hasText: "Send" }).click();
    await page.locator("#answer .reply strong").waitFor();
    await page.locator("#askByUrl summary").click();
    await assertAccessible(page, `${name}: open`);
    await page.locator("#answer").scrollIntoViewIfNeeded();
    await screenshot(page, `${name}-open`);
  })],
]));
