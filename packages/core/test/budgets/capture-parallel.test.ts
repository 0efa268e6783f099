import { BudgetExceededError } from '../../src/budget-error.js';
import { withContext } from '../../src/context.js';
import { SDKS, type Client } from '../capture/sdk.js';
import { ASK, CHEAP, collect, onStage, spends, STREAM, WHOLE } from './capture-stage.js';

/** Calls under way at the same time spend no more together than each of their budgets has. */
const FORMS = [
  { name: 'JSON', call: (client: Client) => client.messages.create(ASK) },
  {
    name: 'streams',
    call: async (client: Client) => collect(await client.messages.create(STREAM)),
  },
  { name: 'stream()', call: (client: Client) => client.messages.stream(ASK).finalMessage() },
] as const;

describe.each(SDKS)('@anthropic-ai/sdk $version', ({ Anthropic }) => {
  it.each(FORMS)(
    '100 calls of 5 cents as $name spend all of a dollar and no more',
    async (form) => {
      await onStage(Anthropic, { budgets: [{ usd: 1, per: 'day' }] }, async (stage) => {
        const ends = await Promise.allSettled(
          Array.from({ length: 100 }, () => form.call(stage.client)),
        );
        await stage.quiet();

        expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(20);
        expect(stage.simulator.requests).toHaveLength(20);
        expect(stage.records).toHaveLength(100);
        expect(await stage.money('all-day')).toMatchObject({
          spentUsd: 1,
          heldUsd: 0,
          overrunUsd: 0,
        });
        const { calls } = await stage.report('all-day');
        expect(calls).toMatchObject({ clamp: 0, downgrade: 0, block: 80 });
        expect(calls.allow + calls.warn).toBe(20);
      });
    },
  );

  it('spends nearly all of it when calls cost less than they hold, asked again and again', async () => {
    const respond = spends(150);
    await onStage(Anthropic, { budgets: [{ usd: 1, per: 'day' }], respond }, async (stage) => {
      let calls = 0;
      // What is settled makes room for others; nobody is let in beyond the limit on the way.
      for (let served = 1; served > 0;) {
        const ends = await Promise.allSettled(
          Array.from({ length: 20 }, () => stage.client.messages.create(ASK)),
        );
        calls += ends.length;
        served = ends.filter(({ status }) => status === 'fulfilled').length;
        const { spentUsd, heldUsd } = await stage.money('all-day');
        expect(spentUsd + heldUsd).toBeLessThanOrEqual(1);
      }
      const { spentUsd, heldUsd } = await stage.money('all-day');
      expect(heldUsd).toBe(0);
      expect(spentUsd).toBeGreaterThanOrEqual(0.95);
      expect(stage.records).toHaveLength(calls);
      expect(spentUsd).toBeCloseTo(stage.simulator.requests.length * 0.0075, 9);
    });
  });

  it('keeps every budget of a call, and takes nothing from the others when one refuses', async () => {
    const budgets = [
      { usd: 1, per: 'day' },
      { usd: 0.2, per: 'hour', of: 'user' },
      { usd: 0.5, per: 'week', of: 'feature' },
      { name: 'tier', usd: 0.35, per: 'month', of: { tag: 'tier' } },
    ] as const;
    await onStage(Anthropic, { budgets }, async (stage) => {
      const ends = await Promise.allSettled(
        Array.from({ length: 120 }, (_, i) =>
          withContext(
            {
              userId: `user ${i % 6}`,
              feature: i % 2 === 0 ? 'chat' : 'search',
              tags: { tier: i % 3 === 0 ? 'free' : 'paid' },
            },
            () => stage.client.messages.create(ASK),
          ),
        ),
      );
      const { budgets: reports } = await stage.monitor.snapshot();
      for (const { scopes } of reports) {
        for (const { spentUsd, heldUsd, limitUsd } of scopes) {
          expect(heldUsd).toBe(0);
          expect(spentUsd).toBeLessThanOrEqual(limitUsd);
        }
      }
      const served = ends.filter(({ status }) => status === 'fulfilled').length;
      const sums = reports.map(({ scopes }) =>
        scopes.reduce((sum, each) => sum + each.spentUsd, 0),
      );
      for (const sum of sums) expect(sum).toBeCloseTo(served * 0.05, 9);
      // Both tiers are used up, and nobody else is kept out by what was refused.
      expect(served).toBe(14);
      const refusals = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
      expect(refusals.every(BudgetExceededError.is)).toBe(true);
    });
  });

  it('first sends cheaper models and then nothing, and the sum keeps to the limit', async () => {
    const budgets = [
      { usd: 1, per: 'day', action: 'downgrade', models: [CHEAP], minTokens: 500 },
    ] as const;
    await onStage(Anthropic, { budgets, respond: WHOLE }, async (stage) => {
      const ends = await Promise.allSettled(
        Array.from({ length: 200 }, () => stage.client.messages.create(ASK)),
      );
      const models = stage.simulator.requests.map(({ body }) => (body as { model: string }).model);
      expect(models.filter((model) => model === ASK.model)).toHaveLength(20);
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 1, heldUsd: 0 });
      expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(180);
    });
    const some = [{ ...budgets[0], usd: 0.97 }];
    await onStage(Anthropic, { budgets: some, respond: WHOLE }, async (stage) => {
      await Promise.allSettled(Array.from({ length: 40 }, () => stage.client.messages.create(ASK)));
      const models = stage.simulator.requests.map(({ body }) => (body as { model: string }).model);
      expect(models.filter((model) => model === CHEAP)).toHaveLength(2);
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.97, heldUsd: 0 });
    });
  });
});
