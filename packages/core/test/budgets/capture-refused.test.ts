import { BudgetExceededError } from '../../src/budget-error.js';
import { WAYS } from '../capture/run.js';
import { SDKS, type Client } from '../capture/sdk.js';
import {
  ASK,
  collect,
  errorOf,
  onStage,
  STREAM,
  turns,
  type StageOptions,
} from './capture-stage.js';

/** What a call that a budget refuses looks like to its caller, to the server and in the records. */
const NOTHING_LEFT: StageOptions = { budgets: [{ usd: 0.04, per: 'day' }] };

interface Kind {
  readonly name: string;
  run(client: Client): PromiseLike<unknown>;
}

const { model, max_tokens, messages } = ASK;
const KINDS: readonly Kind[] = [
  { name: 'create()', run: (client) => client.messages.create(ASK) },
  { name: 'a stream', run: (client) => client.messages.create(STREAM) },
  { name: 'withResponse()', run: (client) => client.messages.create(ASK).withResponse() },
  { name: 'asResponse()', run: (client) => client.messages.create(ASK).asResponse() },
  {
    name: 'asResponse() of a stream',
    run: (client) => client.messages.create(STREAM).asResponse(),
  },
  { name: 'parse()', run: (client) => client.messages.parse(ASK) },
  { name: 'beta.messages', run: (client) => client.beta.messages.create(ASK) },
  { name: 'a raw post()', run: (client) => client.post('/v1/messages', { body: ASK }) },
  {
    name: 'a withOptions() clone',
    run: (client) => client.withOptions({ maxRetries: 5 }).messages.create(ASK),
  },
  {
    name: 'the creation of a batch',
    run: (client) =>
      client.messages.batches.create({
        requests: [1, 2].map((id) => ({
          custom_id: `${id}`,
          params: { model, max_tokens, messages },
        })),
      }),
  },
];

describe.each(SDKS)('@anthropic-ai/sdk $version', ({ Anthropic }) => {
  describe.each(WAYS)('with $name', (way) => {
    it.each(KINDS)('$name is refused before any request, once', async ({ run }) => {
      await onStage(Anthropic, { ...NOTHING_LEFT, way }, async ({ client, ...stage }) => {
        const error = await errorOf(() => run(client));

        expect(error).toBeInstanceOf(BudgetExceededError);
        expect(BudgetExceededError.is(error)).toBe(true);
        expect((error as Error).cause).toBeUndefined();
        expect(error).toMatchObject({ reason: 'limit', budget: 'all-day', status: 429 });
        expect(stage.simulator.requests).toHaveLength(0);
        expect(stage.records).toHaveLength(1);
        expect(stage.records[0]).toMatchObject({
          outcome: 'blocked',
          status: null,
          attempts: [],
          error: { kind: 'spend_limit', type: 'budget_exceeded' },
          priceStatus: 'free',
          cost: { nanoUsd: 0 },
          budget: { verdict: 'block', reason: 'limit', budget: 'all-day', heldNanoUsd: 0 },
        });
        const { totals, coverage } = await stage.monitor.snapshot();
        expect(totals).toMatchObject({ calls: 1, errorRate: 0, outcomes: { blocked: 1 } });
        expect(totals.errors).toEqual({});
        expect(coverage.unobserved).toBe(0);
        expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0, heldUsd: 0 });
      });
    });
  });

  it('throws the very object that it made, to everyone who waits for the same call', async () => {
    await onStage(Anthropic, NOTHING_LEFT, async ({ client }) => {
      const promise = client.messages.create(ASK);
      const first = await errorOf(() => promise);
      expect(await errorOf(() => promise)).toBe(first);
      expect(await errorOf(() => promise.asResponse())).toBe(first);
    });
  });

  it('throws what can be sent on as JSON, and says nothing of the prompt', async () => {
    await onStage(Anthropic, NOTHING_LEFT, async ({ client }) => {
      const error = await errorOf(() => client.messages.create(ASK));
      const text = JSON.stringify(error);
      expect(JSON.parse(text)).toMatchObject({
        name: 'BudgetExceededError',
        status: 429,
        budget: 'all-day',
        limitUsd: 0.04,
        worstCaseUsd: 0.05,
        retryAfterSeconds: null,
      });
      expect(text).not.toContain('France');
    });
  });

  describe('the helper stream()', () => {
    const helpers: readonly Kind[] = [
      { name: 'finalMessage()', run: (client) => client.messages.stream(ASK).finalMessage() },
      { name: 'finalText()', run: (client) => client.messages.stream(ASK).finalText() },
      { name: 'done()', run: (client) => client.messages.stream(ASK).done() },
      { name: 'a loop', run: (client) => collect(client.messages.stream(ASK)) },
      { name: 'withResponse()', run: (client) => client.messages.stream(ASK).withResponse() },
      { name: 'of beta', run: (client) => client.beta.messages.stream(ASK).finalMessage() },
    ];

    it.each(helpers)('$name fails with the error itself', async ({ run }) => {
      const unhandled: unknown[] = [];
      const hear = (error: unknown) => void unhandled.push(error);
      process.on('unhandledRejection', hear);
      try {
        await onStage(Anthropic, NOTHING_LEFT, async ({ client, simulator, records }) => {
          const error = await errorOf(() => run(client));
          // The helper would wrap whatever is no error of the SDK's own.
          expect(BudgetExceededError.is(error)).toBe(true);
          expect(error).toBeInstanceOf(BudgetExceededError);
          expect(error).toBeInstanceOf(Anthropic.AnthropicError);
          expect((error as Error).cause).toBeUndefined();
          expect(simulator.requests).toHaveLength(0);
          expect(records.map(({ outcome }) => outcome)).toEqual(['blocked']);
        });
        await turns(5);
        expect(unhandled).toEqual([]);
      } finally {
        process.off('unhandledRejection', hear);
      }
    });

    it('wraps it where the client is not known, as it does any error of a middleware', async () => {
      const way = WAYS.find(({ name }) => name === 'the client option middleware')!;
      await onStage(Anthropic, { ...NOTHING_LEFT, way }, async ({ client }) => {
        const error = (await errorOf(() => client.messages.stream(ASK).done())) as Error;
        expect(error).toBeInstanceOf(Anthropic.AnthropicError);
        expect(error.cause).toBeInstanceOf(BudgetExceededError);
        expect(error.message).toBe((error.cause as Error).message);
      });
    });

    it('tells it to listeners', async () => {
      await onStage(Anthropic, NOTHING_LEFT, async ({ client }) => {
        const heard: unknown[] = [];
        const stream = client.messages.stream(ASK).on('error', (error) => heard.push(error));
        await errorOf(() => stream.done());
        expect(heard).toHaveLength(1);
        expect(heard[0]).toBeInstanceOf(BudgetExceededError);
      });
    });
  });

  it.each(['timeout reports', 'timed out', 'Time-out', 'AbortError'])(
    'is not retried because of what it is called: %s',
    async (name) => {
      await onStage(
        Anthropic,
        { budgets: [{ name, usd: 0, per: 'call' }] },
        async ({ client, records, monitor }) => {
          expect(await errorOf(() => client.messages.create(ASK))).toBeInstanceOf(
            BudgetExceededError,
          );
          expect(records).toHaveLength(1);

          monitor.pause(name);
          const paused = () =>
            monitor.withContext({ feature: name }, () => client.messages.create(ASK));
          expect(await errorOf(paused)).toMatchObject({ reason: 'paused', status: 503 });
          expect(records).toHaveLength(2);
        },
      );
    },
  );

  it('says when to come back: soon, if the money is only held; else when the period ends', async () => {
    const hang = { ending: 'hang', beforeHeaders: true } as const;
    await onStage(
      Anthropic,
      { budgets: [{ usd: 0.06, per: 'day' }] },
      async ({ client, simulator, quiet }) => {
        simulator.enqueue(hang);
        const controller = new AbortController();
        const waiting = client.messages.create(ASK, { signal: controller.signal });
        waiting.catch(() => {});
        while (simulator.requests.length === 0) await turns(1);
        const held = await errorOf(() => client.messages.create(ASK));
        expect(held).toMatchObject({ heldUsd: 0.05, spentUsd: 0, headers: { 'retry-after': '5' } });

        controller.abort();
        await errorOf(() => waiting);
        await quiet();
        const spent = await errorOf(() => client.messages.create(ASK));
        expect(spent).toMatchObject({
          heldUsd: 0,
          // Nobody knows whether it was billed before it was aborted.
          spentUsd: 0.05,
          headers: { 'retry-after': String(12 * 3_600) },
          resetsAt: '2026-11-24T00:00:00.000Z',
        });
      },
    );
  });
});
