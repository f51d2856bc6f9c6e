// node run.mjs [WORDS]: the tests of the pages whose file and name have WORDS, against the server at
// $BASE_URL with the modules of $WEB_TOOLS. Pictures go to $LAMBERT_SCREENSHOTS.
import { startBrowser, stopBrowser } from "./harness.mjs";

const FILES = ["asking", "errors", "files", "keyboard", "xss", "looks", "docs"];
const words = process.argv[2] ?? "";

let failed = 0;
let passed = 0;
console.log(`Chromium ${await startBrowser()}`);
for (const file of FILES) {
  const { tests } = await import(`./${file}_test.mjs`);
  let count = 0;
  for (const [name, body] of Object.entries(tests)) {
    if (!`${file}: ${name}`.includes(words)) continue;
    try {
      await body();
      ++count;
    } catch (error) {
      ++failed;
      console.log(`FAILED: ${file}: ${name}\n${error.stack.slice(0, 3000)}`);
    }
  }
  passed += count;
  if (count > 0) console.log(`ok: web/${file}: ${count} tests`);
}
await stopBrowser();
if (passed + failed === 0) console.log(`FAILED: no test has '${words}' in its name`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
