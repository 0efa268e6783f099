import { BudgetExceededError, budgetProblem } from '../src/budget-error.js';
import { withContext } from '../src/context.js';
import { createMonitor } from '../src/monitor.js';
import { SDKS } from './capture/sdk.js';
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
  PRICES,
  spends,
  STREAM,
} from './budgets/capture-stage.js';

/** What a monitor says of its budgets, and what people can tell it. */
const DAY = { usd: 1, per: 'day' } as const;

describe.each(SDKS)('@anthropic-ai/sdk $version', ({ Anthropic }) => {
  describe('a feature that is paused', () => {
    it('is refused with 503 until it is resumed, and no other feature is', async () => {
      await onStage(Anthropic, {}, async ({ client, monitor, records, simulator, pass }) => {
        const chat = () =>
          withContext({ feature: 'chat' }, () => client.messages.create(ASK) as Promise<unknown>);
        monitor.pause('chat', 'It answers nonsense.');
        expect(monitor.paused()).toEqual([
          { feature: 'chat', reason: 'It answers nonsense.', since: '2026-11-23T12:00:00.000Z' },
        ]);
        const error = await errorOf(chat);
        expect(error).toBeInstanceOf(BudgetExceededError);
        expect(error).toMatchObject({ status: 503, reason: 'paused', budget: 'chat', headers: {} });
        expect(budgetProblem(error as BudgetExceededError)).toMatchObject({
          status: 503,
          title: 'This feature is paused',
        });
        // Why is for the operator, not for whoever asked.
        expect(JSON.stringify(error)).not.toContain('nonsense');
        expect(records[0]).toMatchObject({
          outcome: 'blocked',
          error: { kind: 'spend_limit', type: 'feature_paused' },
          budget: { verdict: 'block', reason: 'paused', budget: null },
        });
        await withContext({ feature: 'search' }, () => client.messages.create(ASK));
        await client.messages.create(ASK);
        await pass(30 * 24 * HOUR);
        await errorOf(chat);
        expect(simulator.requests).toHaveLength(2);

        expect(monitor.resume('chat')).toBe(true);
        expect(monitor.resume('chat')).toBe(false);
        expect(monitor.paused()).toEqual([]);
        await chat();
        expect(simulator.requests).toHaveLength(3);
      });
    });

    it('lets calls that are under way end', async () => {
      await onStage(Anthropic, { budgets: [DAY] }, async ({ client, monitor, records }) => {
        const stream = await withContext({ feature: 'chat' }, () => client.messages.create(STREAM));
        monitor.pause('chat');
        await collect(stream);
        expect(records[0]).toMatchObject({ outcome: 'ok' });
      });
    });
  });

  describe('canSpend()', () => {
    it('says what would be decided in the current context, and holds nothing', async () => {
      const budgets = [DAY, { usd: 0.07, per: 'hour', of: 'user' }] as const;
      await onStage(Anthropic, { budgets }, async ({ client, monitor, ...stage }) => {
        const ada = <T>(run: () => T) => withContext({ userId: 'ada' }, run);
        for (let i = 0; i < 3; i += 1) {
          expect(await ada(() => monitor.canSpend(ASK))).toMatchObject({
            verdict: 'allow',
            budget: null,
            budgets: [
              { budget: 'all-day', scope: null, spentUsd: 0, heldUsd: 0, limitUsd: 1 },
              { budget: 'user-hour', scope: 'ada', spentUsd: 0, heldUsd: 0, limitUsd: 0.07 },
            ],
            worstCaseUsd: 0.05,
            model: null,
          });
        }
        expect(await stage.held()).toBe(0);
        await ada(() => client.messages.create(ASK));
        expect(await ada(() => monitor.canSpend(ASK))).toMatchObject({
          verdict: 'block',
          reason: 'limit',
          budget: { budget: 'user-hour', spentUsd: 0.05 },
        });
        expect(
          await monitor.withContext({ userId: 'bob' }, () => monitor.canSpend(ASK)),
        ).toMatchObject({
          budgets: [
            { budget: 'all-day', spentUsd: 0.05 },
            { scope: 'bob', spentUsd: 0 },
          ],
        });
        expect(stage.records).toHaveLength(1);
        expect((await stage.report('user-hour')).calls).toEqual({
          ...{ allow: 1, warn: 0, clamp: 0, downgrade: 0, block: 0 },
        });
      });
    });

    it('agrees with what then happens', async () => {
      const budgets = [
        { usd: 0.17, per: 'day', action: 'downgrade', models: [CHEAP], minTokens: 500 },
      ] as const;
      await onStage(Anthropic, { budgets }, async ({ client, monitor, records }) => {
        for (let i = 0; i < 8; i += 1) {
          const said = await monitor.canSpend(ASK);
          await Promise.resolve(client.messages.create(ASK)).catch(() => {});
          const { budget } = records[i]!;
          expect(budget).toMatchObject({
            verdict: said.verdict,
            sentModel: said.model,
            sentMaxTokens: said.maxTokens,
          });
        }
        const verdicts = new Set(records.map(({ budget }) => budget?.verdict));
        expect([...verdicts]).toEqual(['allow', 'warn', 'downgrade', 'block']);
      });
    });

    it('knows of paused features and of declared ceilings', async () => {
      await onStage(
        Anthropic,
        { budgets: [{ ...DAY, unbounded: 'block' }] },
        async ({ monitor }) => {
          const search = { ...ASK, tools: [{ type: 'web_search_20250305', name: 'web_search' }] };
          expect(await monitor.canSpend(search)).toMatchObject({ reason: 'unbounded' });
          const declared = withContext({ maxCostUsd: 0.2 }, () => monitor.canSpend(search));
          expect(await declared).toMatchObject({ verdict: 'allow' });
          monitor.pause('chat');
          const paused = withContext({ feature: 'chat' }, () => monitor.canSpend(ASK));
          expect(await paused).toMatchObject({ verdict: 'block', reason: 'paused' });
          await expect(monitor.canSpend(null as never)).rejects.toThrow(TypeError);
        },
      );
    });

    it('has no objection where there is no budget', async () => {
      await onStage(Anthropic, {}, async ({ monitor }) => {
        expect(await monitor.canSpend(ASK)).toMatchObject({ verdict: 'allow', budgets: [] });
      });
    });
  });

  it('adjust() corrects what counts as spent, in the current period', async () => {
    await onStage(Anthropic, { budgets: [{ usd: 0.05, per: 'day' }] }, async (stage) => {
      const { client, monitor } = stage;
      await client.messages.create(ASK);
      expect(await errorOf(() => client.messages.create(ASK))).toBeInstanceOf(BudgetExceededError);
      const given = { budget: 'all-day', usd: -0.05, reason: 'A test run.' };
      expect(await monitor.adjust(given)).toMatchObject({ ...given, scope: null });
      await client.messages.create(ASK);
      await monitor.adjust({ budget: 'all-day', usd: 0.25, reason: 'Spent elsewhere.' });
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.3 });
      expect(monitor.adjustments().map(({ usd }) => usd)).toEqual([0.25, -0.05]);
      await expect(monitor.adjust({ budget: 'none', usd: 1, reason: 'A test.' })).rejects.toThrow(
        'monitor.adjust: budget must be',
      );
    });
  });

  it('record() charges calls that were made some other way', async () => {
    const budgets = [DAY, { ...DAY, of: 'user' }] as const;
    await onStage(Anthropic, { budgets }, async (stage) => {
      const { monitor, client } = stage;
      const call = { model: DEAR, usage: { input_tokens: 1, output_tokens: 18_000 } };
      await monitor.canSpend(ASK);
      expect(monitor.record({ ...call, userId: 'ada' }).cost?.usd).toBeCloseTo(0.9, 9);
      expect(await stage.money('user-day', 'ada')).toMatchObject({ spentUsd: 0.9, overrunUsd: 0 });
      // A day that is over is closed.
      monitor.record({ ...call, at: NOON - 24 * HOUR });
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.9 });
      monitor.record({ model: 'claude-none', usage: { output_tokens: 1 } });
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.9, unpricedCalls: 1 });
      await client.messages.create(ASK);
      await client.messages.create(ASK);
      expect(await errorOf(() => client.messages.create(ASK))).toMatchObject({ spentUsd: 1 });
    });
  });

  it('record() charges what comes before the calendar of its budgets is there', async () => {
    await onStage(Anthropic, { budgets: [DAY] }, async (stage) => {
      stage.monitor.record({ model: DEAR, usage: { input_tokens: 1, output_tokens: 18_000 } });
      await stage.monitor.canSpend(ASK);
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.9 });
    });
  });

  it('tells the thresholds that a budget passes, once a period and scope, to people and sinks', async () => {
    const budgets = [{ usd: 0.2, per: 'day', of: 'user', warnAt: [0.5, 0.75, 1] }] as const;
    await onStage(Anthropic, { budgets }, async ({ client, events, notices, pass }) => {
      const ask = (userId: string) =>
        withContext({ userId }, () => client.messages.create(ASK) as Promise<unknown>);
      for (let i = 0; i < 4; i += 1) await ask('ada');
      await ask('bob');
      expect(events.map(({ scope, type, threshold }) => [scope, type, threshold])).toEqual([
        ['ada', 'threshold', 0.5],
        ['ada', 'threshold', 0.75],
        ['ada', 'threshold', 1],
      ]);
      expect(notices).toEqual(events.map(({ text }) => text));
      expect(notices[0]).toBe(
        'Budget "user-day" of "ada" has passed 50 % of its limit: $0.1 spent and $0 held of $0.2.',
      );
      await errorOf(() => ask('ada'));
      await errorOf(() => ask('ada'));
      expect(events.slice(3)).toMatchObject([{ type: 'exhausted', scope: 'ada', threshold: null }]);
      await pass(12 * HOUR);
      for (let i = 0; i < 2; i += 1) await ask('ada');
      expect(events.slice(4)).toMatchObject([
        { type: 'threshold', threshold: 0.5, resetsAt: '2026-11-25T00:00:00.000Z' },
      ]);
    });
  });

  it('tells of dear calls, at most 20 lines a minute, and counts the rest', async () => {
    const options = { perRequestWarnUsd: 0.05, respond: spends(1_000) };
    await onStage(Anthropic, options, async ({ client, notices, health, pass, simulator }) => {
      const context = { userId: 'ada', feature: 'chat' };
      for (let i = 0; i < 25; i += 1) {
        await withContext(context, () => client.messages.create(ASK));
      }
      expect(notices).toHaveLength(20);
      expect(notices[0]).toMatch(
        /^A call cost \$0\.05: claude-dear, feature "chat", user "ada" \(call [\w-]+\)\.$/,
      );
      expect(health().dropped).toEqual({ dearCallLine: 5 });
      await pass(MINUTE);
      simulator.enqueue(spends(999));
      await client.messages.create(ASK);
      await client.messages.create(ASK);
      expect(notices).toHaveLength(21);
    });
  });

  it('tells of budgets, at most 20 lines a minute, and sinks hear of every one', async () => {
    const budgets = [{ usd: 0.05, per: 'day', of: 'user', warnAt: [1] }] as const;
    await onStage(Anthropic, { budgets }, async ({ client, notices, events, health }) => {
      for (let i = 0; i < 30; i += 1) {
        await withContext({ userId: `user ${i}` }, () => client.messages.create(ASK));
      }
      expect(events).toHaveLength(30);
      expect(notices).toHaveLength(20);
      expect(health().dropped).toEqual({ budgetLine: 10 });
    });
  });
});

it('refuses budgets that cannot be right, in words', () => {
  const make = (budget: object) => () =>
    createMonitor({ log: false, prices: PRICES, budgets: [budget as never] });
  expect(make({ per: 'day' })).toThrow('createMonitor: budgets[0]: options.usd must be');
  expect(make({ usd: -1, per: 'day' })).toThrow(TypeError);
  expect(make({ usd: 1, per: 'year' })).toThrow(/per/);
  expect(make({ usd: 1, per: 'day', limit: 3 })).toThrow(/limit/);
});
