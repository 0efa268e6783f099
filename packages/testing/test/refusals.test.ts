/** What the simulator refuses by itself, as the API does; a queued answer is not used up by it. */
import { answers, createSimulator, type Simulator } from '../src/index.js';

let simulator: Simulator;
beforeEach(async () => (simulator = await createSimulator()));
afterEach(() => simulator.close());

const GOOD = {
  model: 'claude-sonnet-5-5',
  max_tokens: 16,
  messages: [{ role: 'user', content: 'Hi' }],
};
const KEY = { 'x-api-key': 'test' };

async function post(
  body: unknown,
  headers: Record<string, string> = KEY,
  path = '/v1/messages',
): Promise<{ status: number; answer: unknown }> {
  const raw = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await fetch(simulator.url + path, { method: 'POST', headers, body: raw });
  return { status: response.status, answer: await response.json() };
}

function without(field: string): object {
  return Object.fromEntries(Object.entries(GOOD).filter(([name]) => name !== field));
}

const failure = (type: string, message: string) => ({
  type: 'error',
  error: { type, message },
  request_id: expect.stringMatching(/^req_011C/),
});

it('takes either kind of key', async () => {
  expect(await post(GOOD)).toMatchObject({ status: 200, answer: { type: 'message' } });
  const bearer = await post(GOOD, { authorization: 'Bearer test' });
  expect(bearer).toMatchObject({ status: 200, answer: { type: 'message' } });
});

it('refuses a request without a key', async () => {
  expect(await post(GOOD, {})).toEqual({
    status: 401,
    answer: failure('authentication_error', 'x-api-key header is required'),
  });
});

it.each(['model', 'max_tokens', 'messages'])('refuses a message without %s', async (field) => {
  expect(await post(without(field))).toEqual({
    status: 400,
    answer: failure('invalid_request_error', `${field}: Field required`),
  });
});

it.each([
  [{ ...GOOD, messages: [] }, 'messages: at least one message is required'],
  [{ ...GOOD, messages: 'Hi' }, 'messages: at least one message is required'],
  [{ ...GOOD, max_tokens: 0 }, 'max_tokens: Input should be greater than or equal to 1'],
  [{ ...GOOD, max_tokens: 1.5 }, 'max_tokens: Input should be greater than or equal to 1'],
  ['{"model":', 'The request body is not valid JSON'],
  ['[]', 'The request body is not valid JSON'],
  ['', 'request body is required'],
])('refuses %j', async (body, message) => {
  expect(await post(body)).toEqual({
    status: 400,
    answer: failure('invalid_request_error', message),
  });
});

it('reports a body that is no JSON as it came', async () => {
  await post('{"model":');
  expect(simulator.requests[0]).toMatchObject({ rawBody: '{"model":', body: null, status: 400 });
});

it.each([[undefined], [[]], [5]])('refuses a batch of %j', async (requests) => {
  expect(await post({ requests }, KEY, '/v1/messages/batches')).toMatchObject({
    status: 400,
    answer: {
      error: { type: 'invalid_request_error', message: expect.stringMatching(/^requests: /) },
    },
  });
});

it('needs no max_tokens to count tokens, but a model', async () => {
  const path = '/v1/messages/count_tokens';
  expect(await post(without('max_tokens'), KEY, path)).toMatchObject({ status: 200 });
  expect(await post(without('model'), KEY, path)).toMatchObject({
    status: 400,
    answer: { error: { message: 'model: Field required' } },
  });
});

it.each(['/', '//', '/v1/complete', '/v1/messages/', '/v1/messages/unknown', '/v1/models/none'])(
  'answers 404 at %s',
  async (path) => {
    const response = await fetch(simulator.url + path, { headers: KEY });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual(failure('not_found_error', 'Not Found'));
  },
);

it('answers 404 for a method that there is not', async () => {
  const response = await fetch(`${simulator.url}/v1/messages`, { headers: KEY });
  expect(response.status).toBe(404);
});

it('takes a body of 32 MB, and refuses one byte more without keeping it', async () => {
  const limit = 32 * 1024 * 1024;
  const empty = JSON.stringify({ ...GOOD, system: '' }).length;
  const bodyOf = (bytes: number) => ({ ...GOOD, system: 'x'.repeat(bytes - empty) });
  expect(await post(bodyOf(limit))).toMatchObject({ status: 200 });
  expect(await post(bodyOf(limit + 1))).toEqual({
    status: 413,
    answer: failure('request_too_large', 'Request exceeds the maximum size'),
  });
  expect(simulator.requests[1]?.body).toBeNull();
});

it('keeps the queue for requests that are in order', async () => {
  simulator.enqueue(answers.text('queued'));
  await post(without('model'));
  await post(GOOD, {});
  expect(await post(GOOD)).toMatchObject({ answer: { content: [{ text: 'queued' }] } });
});
