/** The other endpoints: batches, token counts, models. */
import Anthropic from '@anthropic-ai/sdk';
import {
  answers,
  createSimulator,
  type Answer,
  type SimulatedRequest,
  type Simulator,
} from '../src/index.js';
import { clientOf, collect, QUESTION, SDKS, thrownBy } from './sdk.js';

let simulator: Simulator;
beforeEach(async () => (simulator = await createSimulator()));
afterEach(() => simulator.close());

const requests = ['a', 'b', 'c'].map((custom_id) => ({
  custom_id,
  params: { ...QUESTION, messages: [{ role: 'user' as const, content: `question ${custom_id}` }] },
}));

/** Answers b with an error, by what it asks; the creation of a batch is a request as well. */
function failB({ path, body }: SimulatedRequest): Answer {
  const fails = path === '/v1/messages' && JSON.stringify(body).includes('question b');
  return fails ? answers.overloaded() : answers.text('fine');
}

describe.each(SDKS)('SDK $version', ({ Anthropic: Sdk }) => {
  it('creates a batch that is in progress, and has ended when it is asked for', async () => {
    const client = clientOf(simulator, Sdk);
    const created = await client.messages.batches.create({ requests });
    expect(created).toMatchObject({
      id: expect.stringMatching(/^msgbatch_01/),
      type: 'message_batch',
      processing_status: 'in_progress',
      request_counts: { processing: 3, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
      ended_at: null,
      results_url: null,
    });
    simulator.respond(failB);
    const ended = await client.messages.batches.retrieve(created.id);
    expect(ended).toMatchObject({
      id: created.id,
      processing_status: 'ended',
      request_counts: { processing: 0, succeeded: 2, errored: 1, canceled: 0, expired: 0 },
      ended_at: expect.stringMatching(/^\d{4}-/),
      results_url: `${simulator.url}/v1/messages/batches/${created.id}/results`,
    });
    const { data } = await client.messages.batches.list();
    expect(data).toMatchObject([{ id: created.id, processing_status: 'ended' }]);
  });

  it('gives a result for each request, the same every time', async () => {
    const client = clientOf(simulator, Sdk);
    simulator.respond(failB);
    const { id } = await client.messages.batches.create({ requests });
    const results = await collect(await client.messages.batches.results(id));
    expect(results).toMatchObject([
      {
        custom_id: 'a',
        result: {
          type: 'succeeded',
          message: { content: [{ text: 'fine' }], usage: { service_tier: 'batch' } },
        },
      },
      {
        custom_id: 'b',
        result: {
          type: 'errored',
          error: { type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } },
        },
      },
      { custom_id: 'c', result: { type: 'succeeded' } },
    ]);
    simulator.respond({ content: 'something else' });
    expect(await collect(await client.messages.batches.results(id))).toEqual(results);
  });

  it('cancels a batch: nothing of it is answered', async () => {
    const client = clientOf(simulator, Sdk);
    const { id } = await client.messages.batches.create({ requests });
    const canceling = await client.messages.batches.cancel(id);
    expect(canceling).toMatchObject({
      processing_status: 'canceling',
      cancel_initiated_at: expect.stringMatching(/^\d{4}-/),
    });
    const { request_counts } = await client.messages.batches.retrieve(id);
    expect(request_counts).toMatchObject({ canceled: 3, succeeded: 0 });
    const results = await collect(await client.messages.batches.results(id));
    expect(results.map(({ result }) => result.type)).toEqual(['canceled', 'canceled', 'canceled']);
  });

  it('deletes a batch', async () => {
    const client = clientOf(simulator, Sdk);
    const { id } = await client.messages.batches.create({ requests });
    expect(await client.messages.batches.delete(id)).toEqual({ id, type: 'message_batch_deleted' });
    for (const call of ['retrieve', 'cancel', 'delete'] as const) {
      const error = await thrownBy(client.messages.batches[call](id));
      expect(error).toBeInstanceOf(Sdk.NotFoundError);
    }
    expect((await client.messages.batches.list()).data).toEqual([]);
  });

  it('counts tokens, or says what the answer says', async () => {
    const { model, messages } = QUESTION;
    const client = clientOf(simulator, Sdk);
    const { input_tokens } = await client.messages.countTokens({ model, messages });
    expect(input_tokens).toBeGreaterThan(10);
    simulator.enqueue({ usage: { input_tokens: 4_711 } }, answers.rateLimited());
    const scripted = await client.messages.countTokens({ model, messages });
    expect(scripted).toEqual({ input_tokens: 4_711 });
    const error = await thrownBy(client.messages.countTokens({ model, messages }));
    expect(error).toBeInstanceOf(Sdk.RateLimitError);
  });

  it('lists models, and each of them', async () => {
    const client = clientOf(simulator, Sdk);
    const models = await collect(client.models.list());
    expect(models.map(({ id }) => id)).toContain('claude-sonnet-5-5');
    for (const model of models) expect(await client.models.retrieve(model.id)).toEqual(model);
    expect(await thrownBy(client.models.retrieve('claude-none'))).toBeInstanceOf(Sdk.NotFoundError);
  });
});

it('takes a queued answer for the creation of a batch, not for reading it', async () => {
  const client = clientOf(simulator, Anthropic);
  simulator.enqueue(answers.overloaded());
  expect(await thrownBy(client.messages.batches.create({ requests }))).toMatchObject({
    status: 529,
  });
  const { id } = await client.messages.batches.create({ requests });
  simulator.enqueue(answers.text('next message'));
  await client.messages.batches.retrieve(id);
  const { content } = await client.messages.create(QUESTION);
  expect(content).toMatchObject([{ text: 'next message' }]);
});

it('can answer each request of a batch by its custom_id', async () => {
  const client = clientOf(simulator, Anthropic);
  const seen: unknown[] = [];
  simulator.respond(({ customId, body, rawBody }) => {
    if (customId === null) return undefined;
    seen.push(customId);
    expect(JSON.parse(rawBody)).toEqual(body);
    return customId === 'c' ? answers.badRequest() : { content: `for ${customId}` };
  });
  const { id } = await client.messages.batches.create({ requests });
  const results = await collect(await client.messages.batches.results(id));
  expect(seen).toEqual(['a', 'b', 'c']);
  expect(results.map(({ result }) => result)).toMatchObject([
    { message: { content: [{ text: 'for a' }] } },
    { message: { content: [{ text: 'for b' }] } },
    { type: 'errored', error: { error: { type: 'invalid_request_error' } } },
  ]);
});

it('makes an errored result of a request that the API would refuse', async () => {
  const client = clientOf(simulator, Anthropic);
  const { id } = await client.messages.batches.create({
    requests: [{ custom_id: 'a', params: { model: 'claude-sonnet-5-5' } as never }],
  });
  const [line] = await collect(await client.messages.batches.results(id));
  expect(line).toMatchObject({
    custom_id: 'a',
    result: { type: 'errored', error: { error: { message: 'max_tokens: Field required' } } },
  });
});

it('says every time when a batch was created', async () => {
  const client = clientOf(simulator, Anthropic);
  const now = jest.spyOn(Date, 'now').mockReturnValue(Date.UTC(2026, 10, 1));
  const { id } = await client.messages.batches.create({ requests });
  now.mockReturnValue(Date.UTC(2026, 10, 2));
  const batch = await client.messages.batches.retrieve(id);
  now.mockRestore();
  expect(batch).toMatchObject({
    created_at: '2026-11-01T00:00:00.000Z',
    expires_at: '2026-11-02T00:00:00.000Z',
  });
});

it('makes an errored result of a responder that throws', async () => {
  const client = clientOf(simulator, Anthropic);
  simulator.respond(() => {
    throw new Error('no fixture');
  });
  simulator.enqueue({});
  const { id } = await client.messages.batches.create({ requests });
  const [first] = await collect(await client.messages.batches.results(id));
  expect(JSON.stringify(first)).toContain('The responder threw: Error: no fixture');
});

it('sends results as JSON lines', async () => {
  const { id } = await clientOf(simulator, Anthropic).messages.batches.create({ requests });
  const headers = { 'x-api-key': 'test' };
  const url = `${simulator.url}/v1/messages/batches/${id}/results`;
  const response = await fetch(url, { headers });
  expect(response.headers.get('content-type')).toBe('application/x-jsonl');
  const lines = (await response.text()).trimEnd().split('\n');
  const idOf = (line: string) => (JSON.parse(line) as { custom_id: string }).custom_id;
  expect(lines.map(idOf)).toEqual(['a', 'b', 'c']);
});
