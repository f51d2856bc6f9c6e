// Asks the server at BASE_URL with k6: each dialect, 20 users, 500 rounds in all.
//   k6 run -e BASE_URL=http://127.0.0.1:8080 tests/clients/k6.js
import http from 'k6/http';
import { check } from 'k6';

const context = 'Ada Lovelace wrote the first program in 1843.';
const question = 'Who wrote it?';
const requests = {
  '/ask': { body: { question, context }, answer: (reply) => reply.answer },
  '/v1/answer': { body: { question, context }, answer: (reply) => reply.answers[0].answer },
  '/': { body: { inputs: { question, context } }, answer: (reply) => reply.answer },
  '/invocations': { body: { inputs: { question, context } }, answer: (reply) => reply.answer },
};

export const options = {
  scenarios: { users: { executor: 'shared-iterations', vus: 20, iterations: 500 } },
  thresholds: { checks: ['rate==1'], http_req_failed: ['rate==0'] },
};

export default function () {
  for (const [path, { body, answer }] of Object.entries(requests)) {
    const headers = { 'Content-Type': 'application/json' };
    const response = http.post(__ENV.BASE_URL + path, JSON.stringify(body), { headers });
    check(response, {
      'is 200': (r) => r.status === 200,
      'has the answer': (r) => r.status === 200 && answer(r.json()) === 'Ada Lovelace',
    });
  }
}
