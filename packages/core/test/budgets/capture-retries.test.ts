import { createSimulator, type Answer } from '@claude-metrics/testing';
import { BudgetExceededError } from '../../src/budget-error.js';
import type { BudgetOptions } from '../../src/budgets/options.js';
import { SDKS } from '../capture/sdk.js';
import {
  ASK,
  CHEAP,
  collect,
  errorOf,
  HOUR,
  onStage,
  shortenPauses,
  soon,
  spends,
  STREAM,
  turns,
  type Stage,
} from './capture-stage.js';

/**
 * What a retry does to a hold. An attempt that was lost may have billed, and nobody will ever tell:
 * its worst case stays reserved, and is charged as uncertain.
 */
const RESET: Answer = { ending: 'reset', beforeHeaders: true };
const HANG: Answer = { ending: 'hang', beforeHeaders: true };

function day(usd: number): readonly BudgetOptions[] {
  return [{ usd, per: 'day' }];
}

/** Once the server has seen so many requests, of which the last is under way. */
async function underWay(stage: Stage, requests: number): Promise<void> {
  while (stage.simulator.requests.length < requests) await turns(1);
}

/** The same, and what hangs times out then. */
async function loseAt(stage: Stage, requests: number): Promise<void> {
  await underWay(stage, requests);
  stage.timeOut();
}

describe.each(SDKS)('@anthropic-ai/sdk $version', ({ Anthropic }) => {
  describe.each([
    ['a lost connection', RESET, 'connection'],
    ['a timeout', HANG, 'timeout'],
  ] as const)('after %s', (_name, lost, kind) => {
    const lose = async (stage: Stage, requests: number) => {
      if (lost === HANG) await loseAt(stage, requests);
    };

    it('holds once more, and charges both in the end', async () => {
      await onStage(Anthropic, { budgets: day(1) }, async (stage) => {
        stage.simulator.enqueue(lost, HANG, HANG, spends(100));
        const call = stage.client.messages.create(ASK, { maxRetries: 3 });
        await lose(stage, 1);
        await underWay(stage, 2);
        expect(await stage.held()).toBe(0.1);
        stage.timeOut();
        await underWay(stage, 3);
        expect(await stage.held()).toBeCloseTo(0.15, 9);
        stage.timeOut();
        await call;

        expect(stage.records).toHaveLength(1);
        expect(stage.records[0]).toMatchObject({
          outcome: 'ok',
          priceStatus: 'estimated',
          cost: { usd: 0.005 },
          attempts: [
            { status: null, errorKind: kind },
            { status: null, errorKind: 'timeout' },
            { status: null },
            { status: 200 },
          ],
        });
        expect(await stage.money('all-day')).toEqual({
          spentUsd: 0.155,
          heldUsd: 0,
          uncertainUsd: 0.15,
          overrunUsd: 0,
          unpricedCalls: 0,
        });
      });
    });

    it('blocks the retry where there is no room for it, and the caller gets the refusal', async () => {
      await onStage(Anthropic, { budgets: day(0.09) }, async (stage) => {
        stage.simulator.enqueue(lost);
        const call = stage.client.messages.create(ASK);
        call.catch(() => {});
        await lose(stage, 1);
        const error = await errorOf(() => call);

        expect(error).toBeInstanceOf(BudgetExceededError);
        expect(error).toMatchObject({ reason: 'limit', heldUsd: 0.05, limitUsd: 0.09 });
        expect(stage.simulator.requests).toHaveLength(1);
        expect(stage.records).toHaveLength(1);
        expect(stage.records[0]).toMatchObject({
          outcome: 'blocked',
          error: { kind: 'spend_limit', type: 'budget_exceeded' },
          priceStatus: 'unpriced',
          budget: { verdict: 'block', reason: 'limit', heldNanoUsd: 50_000_000 },
          attempts: [{ status: null, mayHaveBilled: true, errorKind: kind }],
        });
        expect(await stage.money('all-day')).toMatchObject({
          spentUsd: 0.05,
          heldUsd: 0,
          uncertainUsd: 0.05,
          overrunUsd: 0,
        });
        const { totals } = await stage.monitor.snapshot();
        expect(totals).toMatchObject({ errorRate: 0, outcomes: { blocked: 1 } });
      });
    });

    it('charges every attempt when the last one is lost, too', async () => {
      await onStage(Anthropic, { budgets: day(1) }, async (stage) => {
        stage.simulator.enqueue(lost, lost);
        const call = stage.client.messages.create(ASK, { maxRetries: 1 });
        call.catch(() => {});
        await lose(stage, 1);
        await lose(stage, 2);
        await errorOf(() => call);
        await stage.monitor.close();
        expect(await stage.money('all-day')).toMatchObject({
          spentUsd: 0.1,
          heldUsd: 0,
          uncertainUsd: 0.1,
        });
      });
    });

    it('charges the lost attempt, whatever becomes of its retry', async () => {
      await onStage(Anthropic, { budgets: day(1) }, async (stage) => {
        stage.simulator.enqueue(lost, { status: 400 });
        const call = stage.client.messages.create(ASK);
        call.catch(() => {});
        await lose(stage, 1);
        await errorOf(() => call);
        expect(stage.records[0]).toMatchObject({ status: 400, priceStatus: 'free' });
        expect(await stage.money('all-day')).toMatchObject({
          spentUsd: 0.05,
          heldUsd: 0,
          uncertainUsd: 0.05,
        });
      });
    });
  });

  it.each([429, 500, 529, 408, 409])('does not hold once more after a %d', async (status) => {
    await onStage(Anthropic, { budgets: day(0.06) }, async (stage) => {
      stage.simulator.enqueue(soon({ status }), soon({ status }), HANG);
      const controller = new AbortController();
      const call = stage.client.messages.create(ASK, { signal: controller.signal });
      call.catch(() => {});
      await underWay(stage, 3);
      expect(await stage.held()).toBe(0.05);
      controller.abort();
      await errorOf(() => call);
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.05, uncertainUsd: 0.05 });
    });
  });

  it.each([429, 500, 529])('gives back what it held after %d for good', async (status) => {
    await onStage(Anthropic, { budgets: day(0.06) }, async (stage) => {
      stage.simulator.respond(soon({ status }));
      for (let i = 0; i < 3; i += 1) {
        await errorOf(() => stage.client.messages.create(i === 1 ? STREAM : ASK));
      }
      expect(stage.simulator.requests).toHaveLength(9);
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0, heldUsd: 0 });
    });
  });

  it('gives back what it held for a connection that was refused, and tops nothing up', async () => {
    const nobody = await createSimulator();
    await nobody.close();
    await onStage(Anthropic, { budgets: day(0.06) }, async (stage) => {
      const client = stage.client.withOptions({ baseURL: nobody.url, maxRetries: 1 });
      shortenPauses(client);
      const call = client.messages.create(ASK);
      call.catch(() => {});
      expect(await errorOf(() => call)).toBeInstanceOf(Anthropic.APIConnectionError);
      // Without knowing the clone's settings its end is certain when no retry came.
      await stage.pass(10 * 60_000);
      expect(stage.records[0]).toMatchObject({ priceStatus: 'free', outcome: 'error' });
      expect(stage.records[0]?.attempts).toHaveLength(2);
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0, heldUsd: 0 });
    });
  });

  it('sends a retry as the same cheaper model, and holds that once more', async () => {
    const budgets: BudgetOptions[] = [
      { usd: 0.025, per: 'day', action: 'downgrade', models: [CHEAP] },
    ];
    await onStage(Anthropic, { budgets }, async (stage) => {
      stage.simulator.enqueue(RESET, spends(500));
      await collect(await stage.client.messages.create(STREAM));
      const sent = stage.simulator.requests.map(({ body }) => (body as { model: string }).model);
      expect(sent).toEqual([CHEAP, CHEAP]);
      expect(await stage.money('all-day')).toMatchObject({
        spentUsd: 0.015,
        uncertainUsd: 0.01,
        overrunUsd: 0,
      });
    });
  });

  it('takes a hold anew for a retry that comes after the first one has expired', async () => {
    await onStage(Anthropic, { budgets: day(1) }, async (stage) => {
      stage.simulator.enqueue(HANG, HANG, spends(1_000));
      const call = stage.client.messages.create(ASK);
      await underWay(stage, 1);
      await stage.pass(HOUR);
      expect(await stage.held()).toBe(0);
      stage.timeOut();
      await underWay(stage, 2);
      // The lost attempt is posted, although nothing was held for it any more.
      expect(await stage.money('all-day')).toMatchObject({
        spentUsd: 0.05,
        heldUsd: 0.05,
        uncertainUsd: 0.05,
        overrunUsd: 0.05,
      });
      stage.timeOut();
      await call;
      expect(await stage.money('all-day')).toMatchObject({
        spentUsd: 0.15,
        heldUsd: 0,
        uncertainUsd: 0.1,
        overrunUsd: 0.05,
      });
    });
  });

  it('blocks a retry after an expired hold where there is no room, and posts what was lost', async () => {
    await onStage(Anthropic, { budgets: day(0.06) }, async (stage) => {
      stage.simulator.enqueue(HANG);
      const call = stage.client.messages.create(ASK);
      call.catch(() => {});
      await underWay(stage, 1);
      await stage.pass(HOUR);
      stage.timeOut();
      expect(await errorOf(() => call)).toBeInstanceOf(BudgetExceededError);
      expect(stage.records[0]).toMatchObject({ outcome: 'blocked' });
      expect(await stage.money('all-day')).toMatchObject({
        spentUsd: 0.05,
        heldUsd: 0,
        uncertainUsd: 0.05,
      });
    });
  });
});
