// Asks a running server with Hugging Face's JavaScript client.
// Usage: node huggingface_client.mjs BASE_URL
import { questionAnswering } from '@huggingface/inference';

const url = process.argv[2].replace(/\/$/, '');
const inputs = { question: 'Who wrote it?', context: 'Ada Lovelace wrote the program in 1843.' };
for (const endpointUrl of [url, `${url}/models/org/name`]) {
  const found = await questionAnswering({ endpointUrl, inputs });
  const { answer, start, end, score } = Array.isArray(found) ? found[0] : found;
  if (answer !== 'Ada Lovelace' || start !== 0 || end !== 12 || !(score > 0)) {
    console.error(`huggingface_client: got ${JSON.stringify(found)}`);
    process.exit(1);
  }
}
console.log('ok: @huggingface/inference: 2 requests');
