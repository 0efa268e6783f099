import { BudgetExceededError } from '../../src/budget-error.js';
import type { BudgetOptions } from '../../src/budgets/options.js';
import { withContext } from '../../src/context.js';
import { SDKS, type Client } from '../capture/sdk.js';
import {
  ASK,
  CHEAP,
  collect,
  DEAR,
  errorOf,
  HOUR,
  MINUTE,
  NOON,
  onStage,
  spends,
  STREAM,
  turns,
  UNPRICED,
  WHOLE,
} from './capture-stage.js';

/** Which calls a budget is about, and what it makes of requests that have no price or no bound. */
const HANG = { ending: 'hang', beforeHeaders: true } as const;

const UNBOUNDED: readonly (readonly [string, object])[] = [
  ['a web search', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }],
  ['code execution', { tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] }],
  ['an MCP server', { mcp_servers: [{ type: 'url', url: 'https://example.com', name: 'm' }] }],
  ['a container', { container: 'container_1' }],
  [
    'a document by address',
    {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } },
          ],
        },
      ],
    },
  ],
  [
    'a file',
    {
      messages: [
        { role: 'user', content: [{ type: 'image', source: { type: 'file', file_id: 'file_1' } }] },
      ],
    },
  ],
  ['a field that nobody knows yet', { dream: { deep: true } }],
];

function send(client: Client, more: object): PromiseLike<unknown> {
  return client.messages.create({ ...ASK, ...more } as never) as PromiseLike<unknown>;
}

describe.each(SDKS)('@anthropic-ai/sdk $version', ({ Anthropic }) => {
  it('counts a call that crosses midnight on the day on which it began', async () => {
    await onStage(Anthropic, { budgets: [{ usd: 0.1, per: 'day' }] }, async (stage) => {
      const { client, simulator } = stage;
      await stage.pass(12 * HOUR - MINUTE);
      simulator.enqueue({ ...spends(1_400), content: 'word '.repeat(40) });
      const stream = await client.messages.create(STREAM);
      expect(await stage.money('all-day')).toMatchObject({ heldUsd: 0.05 });

      await stage.pass(2 * MINUTE);
      expect(await stage.report('all-day')).toMatchObject({
        from: '2026-11-24T00:00:00.000Z',
        scopeCount: 0,
      });
      await collect(stream);
      expect(stage.records[0]?.cost?.usd).toBeCloseTo(0.07, 9);
      // More than was held, so it is told: with the day that is over.
      expect(stage.events.find(({ type }) => type === 'overrun')).toMatchObject({
        spentUsd: 0.07,
        heldUsd: 0,
        resetsAt: '2026-11-24T00:00:00.000Z',
      });
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0, heldUsd: 0 });
      // The new day has all its money.
      await client.messages.create(ASK);
      await client.messages.create(ASK);
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.1 });
    });
  });

  it('opens no day again when the clock is set back', async () => {
    await onStage(Anthropic, { budgets: [{ usd: 0.05, per: 'day' }] }, async (stage) => {
      await stage.client.messages.create(ASK);
      stage.set(NOON - 24 * HOUR);
      expect(await errorOf(() => stage.client.messages.create(ASK))).toBeInstanceOf(
        BudgetExceededError,
      );
      stage.set(NOON + 12 * HOUR);
      await stage.client.messages.create(ASK);
      stage.set(NOON);
      expect(await errorOf(() => stage.client.messages.create(ASK))).toBeInstanceOf(
        BudgetExceededError,
      );
    });
  });

  it('limits every single call, however many there are', async () => {
    await onStage(Anthropic, { budgets: [{ usd: 0.05, per: 'call' }] }, async (stage) => {
      const { client } = stage;
      await Promise.all(Array.from({ length: 5 }, () => client.messages.create(ASK)));
      const error = await errorOf(() => client.messages.create({ ...ASK, max_tokens: 1_001 }));
      expect(error).toMatchObject({ reason: 'limit', budget: 'all-call', resetsAt: null });
      expect(stage.simulator.requests).toHaveLength(5);
      expect(await stage.report('all-call')).toMatchObject({ scopes: [], calls: { block: 1 } });
    });
  });

  it('cuts every single call to what it may cost', async () => {
    const budgets: BudgetOptions[] = [{ usd: 0.02, per: 'call', action: 'downgrade' }];
    await onStage(Anthropic, { budgets }, async ({ client, simulator, records }) => {
      await Promise.all(Array.from({ length: 3 }, () => client.messages.create(ASK)));
      const sent = simulator.requests.map(({ body }) => (body as typeof ASK).max_tokens);
      expect(sent).toEqual([400, 400, 400]);
      expect(records.every(({ budget }) => budget?.verdict === 'clamp')).toBe(true);
    });
  });

  it('lets a retry after a lost attempt fail where every call is limited', async () => {
    await onStage(Anthropic, { budgets: [{ usd: 0.06, per: 'call' }] }, async (stage) => {
      stage.simulator.enqueue({ ending: 'reset', beforeHeaders: true });
      const error = await errorOf(() => stage.client.messages.create(ASK));
      expect(error).toBeInstanceOf(BudgetExceededError);
      expect(stage.simulator.requests).toHaveLength(1);
    });
  });

  it.each(['block', 'downgrade'] as const)(
    'changes nothing in shadow mode with the action %s, and says what it would have done',
    async (action) => {
      const budgets: BudgetOptions[] = [{ usd: 0.06, per: 'day', action, shadow: true }];
      await onStage(Anthropic, { budgets }, async (stage) => {
        for (let i = 0; i < 3; i += 1) await stage.client.messages.create(ASK);
        const sent = stage.simulator.requests.map(({ body }) => body);
        expect(sent).toEqual([ASK, ASK, ASK]);
        expect(stage.records.map(({ budget }) => budget?.wouldBlock)).toEqual([
          [],
          ['all-day'],
          ['all-day'],
        ]);
        const { wouldBlock, scopes } = await stage.report('all-day');
        expect(wouldBlock).toBe(2);
        expect(scopes[0]).toMatchObject({ spentUsd: 0.15, overrunUsd: 0 });
      });
    },
  );

  it('only warns where that is the action', async () => {
    await onStage(
      Anthropic,
      { budgets: [{ usd: 0.06, per: 'day', action: 'warn' }] },
      async (stage) => {
        for (let i = 0; i < 3; i += 1) await stage.client.messages.create(ASK);
        expect(stage.records.map(({ budget }) => budget?.verdict)).toEqual([
          'allow',
          'warn',
          'warn',
        ]);
        expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.15 });
      },
    );
  });

  it('refuses a model without a price, unless it is allowed', async () => {
    const ask = { ...ASK, model: UNPRICED };
    await onStage(Anthropic, { budgets: [{ usd: 1, per: 'day' }] }, async (stage) => {
      const error = await errorOf(() => stage.client.messages.create(ask));
      expect(error).toMatchObject({ reason: 'unpriced', worstCaseUsd: null });
      expect(stage.simulator.requests).toHaveLength(0);
    });
    const budgets: BudgetOptions[] = [{ usd: 1, per: 'day', unpriced: 'allow' }];
    await onStage(Anthropic, { budgets }, async (stage) => {
      await stage.client.messages.create(ask);
      await collect(await stage.client.messages.create({ ...STREAM, model: UNPRICED }));
      await stage.client.messages.create(ASK);
      expect(await stage.money('all-day')).toMatchObject({ unpricedCalls: 2, heldUsd: 0 });
      expect((await stage.money('all-day')).spentUsd).toBeCloseTo(0.05, 8);
    });
  });

  it('charges a model without a price with its declared ceiling', async () => {
    const budgets: BudgetOptions[] = [{ usd: 1, per: 'day', maxCostUsd: 0.2 }];
    await onStage(Anthropic, { budgets }, async (stage) => {
      const ask = { ...ASK, model: UNPRICED };
      await stage.client.messages.create(ask);
      await withContext({ maxCostUsd: 0.3 }, () => stage.client.messages.create(ask));
      expect(await stage.money('all-day')).toMatchObject({
        spentUsd: 0.5,
        uncertainUsd: 0.5,
        unpricedCalls: 2,
      });
    });
  });

  describe.each(UNBOUNDED)('with %s', (_name, more) => {
    const block: BudgetOptions = { usd: 1, per: 'day', unbounded: 'block' };

    it('is refused without a declared ceiling, where a budget wants one', async () => {
      await onStage(Anthropic, { budgets: [block] }, async ({ client, simulator, records }) => {
        const error = await errorOf(() => send(client, more));
        expect(error).toMatchObject({ reason: 'unbounded', budget: 'all-day' });
        expect((error as Error).message).toContain('maxCostUsd');
        expect(simulator.requests).toHaveLength(0);
        expect(records[0]?.error?.kind).toBe('spend_limit');
      });
    });

    it("holds the ceiling of the context, else the budget's, and charges the real cost", async () => {
      const budgets = [{ ...block, maxCostUsd: 0.2 }];
      await onStage(Anthropic, { budgets }, async (stage) => {
        stage.simulator.respond(WHOLE);
        await withContext({ maxCostUsd: 0.4 }, () => send(stage.client, more));
        await send(stage.client, more);
        expect(stage.records.map(({ budget }) => budget?.heldNanoUsd)).toEqual([4e8, 2e8]);
        expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.1, overrunUsd: 0 });
        const error = await errorOf(() =>
          withContext({ maxCostUsd: 0.95 }, () => send(stage.client, more)),
        );
        expect(error).toMatchObject({ reason: 'limit' });
      });
    });

    it('is estimated otherwise, and what is beyond the estimate is an overrun that is told', async () => {
      await onStage(Anthropic, { budgets: [{ usd: 10, per: 'day' }] }, async (stage) => {
        stage.simulator.respond(spends(20_000));
        await send(stage.client, more);
        const held = (stage.records[0]?.budget?.heldNanoUsd ?? 0) / 1e9;
        expect(held).toBeGreaterThanOrEqual(0.05);
        const money = await stage.money('all-day');
        expect(money).toMatchObject({ spentUsd: 1, heldUsd: 0 });
        expect(money.overrunUsd).toBeCloseTo(1 - held, 9);
        expect(stage.events.filter(({ type }) => type === 'overrun')).toHaveLength(1);
      });
    });
  });

  it('takes the ceiling of the innermost context, at the moment of the call', async () => {
    const budgets: BudgetOptions[] = [{ usd: 1, per: 'day', unbounded: 'block' }];
    await onStage(Anthropic, { budgets }, async (stage) => {
      const [, search] = UNBOUNDED[0]!;
      await withContext({ maxCostUsd: 0.1 }, () =>
        withContext({ feature: 'search', maxCostUsd: 0.3 }, () =>
          withContext({ userId: 'ada' }, () => send(stage.client, search)),
        ),
      );
      expect(stage.records[0]?.budget?.heldNanoUsd).toBe(300_000_000);
      // A ceiling is for what has no bound; it raises nothing that has one.
      await withContext({ maxCostUsd: 0.9 }, () => stage.client.messages.create(ASK));
      expect(stage.records[1]?.budget?.heldNanoUsd).toBe(50_000_000);
    });
  });

  it('has no bound for the turns of a thread, whose beginning the server keeps', async () => {
    const budgets: BudgetOptions[] = [{ usd: 1, per: 'day', unbounded: 'block' }];
    await onStage(Anthropic, { budgets }, async ({ client, simulator }) => {
      const headers = { 'x-stainless-helper': 'message-thread' };
      const error = await errorOf(() => client.messages.create(ASK, { headers }));
      expect(error).toMatchObject({ reason: 'unbounded' });
      await client.messages.create(ASK, { headers: { 'x-stainless-helper': 'mcp' } });
      expect(simulator.requests).toHaveLength(1);
    });
  });

  it('holds on the budgets of its user, feature, model and tag, and on no others', async () => {
    const budgets: BudgetOptions[] = [
      { usd: 0.05, per: 'day', of: 'user' },
      { usd: 0.1, per: 'day', of: 'model', match: ({ model }) => model !== CHEAP },
      { name: 'tier', usd: 0.1, per: 'day', of: { tag: 'tier' } },
      { name: 'only chat', usd: 0.05, per: 'day', match: ({ feature }) => feature === 'chat' },
    ];
    await onStage(Anthropic, { budgets }, async (stage) => {
      const { client } = stage;
      const ada = { userId: 'ada', feature: 'chat', tags: { tier: 'free' } };
      await withContext(ada, () => client.messages.create(ASK));
      const refused = (context: object, ask = ASK) =>
        errorOf(() => withContext(context, () => client.messages.create(ask)));
      expect(await refused(ada)).toMatchObject({ budget: 'user-day', scope: 'ada' });
      expect(await refused({ userId: 'bob', feature: 'chat' })).toMatchObject({
        budget: 'only chat',
        scope: null,
      });
      await withContext({ userId: 'bob' }, () => client.messages.create(ASK));
      expect(await refused({ userId: 'eve' })).toMatchObject({ budget: 'model-day', scope: DEAR });
      await withContext({ userId: 'eve' }, () => client.messages.create({ ...ASK, model: CHEAP }));
      expect(await stage.money('tier', 'free')).toMatchObject({ spentUsd: 0.05 });
      expect(await stage.money('tier', '(unattributed)')).toMatchObject({ spentUsd: 0.06 });
      expect(await stage.money('model-day', CHEAP)).toMatchObject({ spentUsd: 0 });
      expect(await stage.money('only chat')).toMatchObject({ spentUsd: 0.05 });
    });
  });

  it('asks nobody before tokens are counted', async () => {
    await onStage(Anthropic, { budgets: [{ usd: 0, per: 'day', of: 'user' }] }, async (stage) => {
      const { model, messages } = ASK;
      await stage.client.messages.countTokens({ model, messages });
      await stage.client.models.list();
      expect(stage.records).toMatchObject([{ operation: 'count_tokens', budget: null }]);
      expect(await stage.report('user-day')).toMatchObject({ scopeCount: 0, calls: { block: 0 } });
    });
  });

  it('leaves calls of another monitor alone', async () => {
    await onStage(Anthropic, { budgets: [{ usd: 0, per: 'day' }] }, async (stage) => {
      await onStage(Anthropic, {}, async (other) => {
        await other.monitor.withContext({}, () => stage.client.messages.create(ASK));
        expect(other.records).toHaveLength(1);
      });
      expect(stage.records).toHaveLength(0);
    });
  });

  it('lets a hanging call be aborted while others go on', async () => {
    await onStage(Anthropic, { budgets: [{ usd: 0.1, per: 'day' }] }, async (stage) => {
      stage.simulator.enqueue(HANG);
      const controller = new AbortController();
      const hung = stage.client.messages.create(ASK, { signal: controller.signal });
      hung.catch(() => {});
      while (stage.simulator.requests.length === 0) await turns(1);
      await stage.client.messages.create(ASK);
      controller.abort();
      await errorOf(() => hung);
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.1, uncertainUsd: 0.05 });
    });
  });
});
