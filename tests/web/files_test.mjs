// Texts from files, by the button and by dropping.
import assert from "node:assert/strict";
import { ADA, answerWith, ask, assertMarked, focused, route, text, visible, withPage } from "./harness.mjs";

const HTML = `<!doctype html><html><head><title>Not this</title><style>p { color: red }</style></head><body>
<script>window.executed = 1; document.write("Not this");</script>
<!-- Not this --><h1 style="color: red" onclick='window.executed = 1'>The   first
program</h1><p title="a > b" class="hidden of style">Ada <b>Lovelace</b> wrote it in&nbsp;1843.<br>It ran &amp; ran.</p>
<noscript>Not this</noscript><div>One</div><div>Two</div><ul><li>Three</li><li>Four</li></ul>
<table><tr><td>a</td><td>b</td></tr></table><pre>  kept
   as it is</pre><p hidden>Not this</p><p class=x hidden=until-found>Not this</p><base href="https://evil.invalid/"><svg><text>Not this</text></svg><template>Not this</template><iframe src="/nothing"></iframe></body></html>`;
// What no writer of pages wrote: nothing may be lost or hang.
const BROKEN = "<p>It's <b title=Don't>broken</b>, a < b, \"c\" > d <a href=x\">here</a></p><p>End</p><img alt=\"<p>\">.<a title='";
const BROKEN_TEXT = "It's broken, a < b, \"c\" > d here\n\nEnd\n\n.";

const HTML_TEXT = "The first program\n\nAda Lovelace wrote it in\u00a01843.\nIt ran & ran.\n\nOne\nTwo\n\nThree\nFour\n\na b\n\n  kept\n   as it is";

const file = (name, content, mimeType = "") => ({ name, mimeType, buffer: Buffer.from(content) });

async function open(page, ...files) {
  await page.setInputFiles("#file", files);
  await page.waitForFunction(() => document.getElementById("file").value === "");
}

const drop = (page, name, content) => page.evaluate(([called, bytes]) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], called));
  const panel = document.getElementById("text-panel");
  const target = document.getElementById("context");
  const fire = (type) => target.dispatchEvent(new DragEvent(type, { dataTransfer: transfer, bubbles: true, cancelable: true }));
  const taken = !fire("dragover");
  const outlined = panel.classList.contains("dropping");
  fire("drop");
  return { taken, outlined, after: panel.classList.contains("dropping") };
}, [name, content]);

export const tests = {
  async "a plain text in UTF-8, with and without a mark, in UTF-16 and in Windows' letters"() {
    const words = "Zoë wrote 5 € about Ada.";
    const utf16 = Buffer.from(`\ufeff${words}`, "utf16le");
    await withPage({}, async (page) => {
      for (const [name, bytes] of [["a.txt", words], ["b.txt", `\ufeff${words}`], ["c.txt", utf16], ["d.txt", Buffer.from(utf16).swap16()],
        ["e.txt", Buffer.from([0x5a, 0x6f, 0xeb, ...Buffer.from(" wrote 5 "), 0x80, ...Buffer.from(" about Ada.")])]]) {
        await open(page, file(name, bytes));
        assert.equal(await page.inputValue("#context"), words, name);
        assert.equal(await text(page, "#text-hint"), `${name}, ${words.length} characters`);
        assert.equal(await focused(page), "question");
      }
    });
  },

  async "Markdown as it stands"() {
    const markdown = "# Notes\n\n*Ada* wrote **it** in `1843`.\n\n<b>bold</b>\n";
    await withPage({}, async (page) => {
      await open(page, file("notes.md", markdown, "text/markdown"));
      assert.equal(await page.inputValue("#context"), markdown);
    });
  },

  async "the text of an HTML file, and nothing of it runs"() {
    await withPage({}, async (page) => {
      let asked = 0;
      page.on("request", () => { ++asked; });
      for (const name of ["page.html", "page.HTM"]) {
        await open(page, file(name, HTML));
        const shown = await page.inputValue("#context");
        assert.equal(shown, HTML_TEXT);
      }
      assert.equal(asked, 0, "nothing was loaded");
      await open(page, file("broken.html", BROKEN));
      assert.equal(await page.inputValue("#context"), BROKEN_TEXT);
      for (const piece of ["<a ", "<a x='", "<!--", "<script>", "<", "<p", "=\"", "<b x=\"\" "]) {
        await open(page, file("hostile.html", `${ADA}${piece.repeat(100000)}`));
        assert.ok((await page.inputValue("#context")).startsWith(ADA), piece);
      }
      await open(page, file("page.html", HTML));
      const context = await page.inputValue("#context");
      const { answers } = await (await ask(page, "Who wrote it?")).json();
      await assertMarked(page, context, answers[0]);
    });
  },

  async "a dropped file"() {
    await withPage({}, async (page) => {
      assert.deepEqual(await drop(page, "ada.txt", ADA), { taken: true, outlined: true, after: false });
      await page.waitForFunction((words) => document.getElementById("context").value === words, ADA);
      await answerWith(page, [{ start: 0, end: 3, score: 1 }]);
      await ask(page, "Who?");
      await drop(page, "other.md", "Another text."); // while the text before is being read
      await page.waitForFunction(() => document.getElementById("context").value === "Another text.");
      assert.equal(await visible(page, "#context"), true);
    });
  },

  async "files that are no texts"() {
    await withPage({ prepare: (page) => route(page, "info", (to) => to.fulfill({ json: { model_id: "m", max_body_bytes: 1000000 } })) }, async (page) => {
      await page.locator("#server.ready").waitFor();
      await page.fill("#context", ADA);
      for (const [name, content, words] of [
        ["image.png", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0, 0, 13]), "image.png is not a text"],
        ["empty.txt", "", "empty.txt has no text"],
        ["blank.html", "<p> </p><script>1</script>", "blank.html has no text"],
        ["large.txt", Buffer.alloc(1000001, 97), "large.txt is too large"]]) {
        await open(page, file(name, content));
        assert.equal(await text(page, "#problem strong"), words);
        assert.equal(await page.inputValue("#context"), ADA, "the text before stays");
      }
      await open(page, file("good.txt", "Good."));
      assert.equal(await visible(page, "#problem"), false);
    });
  },

  async "the same file again, and Undo brings back what was written"() {
    await withPage({}, async (page) => {
      await page.fill("#context", "Written by hand.");
      await open(page, file("a.txt", "From a file."));
      await page.click("#undo");
      assert.equal(await page.inputValue("#context"), "Written by hand.");
      assert.equal(await focused(page), "context");
      await open(page, file("a.txt", "From a file."));
      assert.equal(await page.inputValue("#context"), "From a file.");
      await page.fill("#context", "Changed.");
      assert.equal(await visible(page, "#undo"), false);
    });
  },
};
