import type { SimulatedRequest } from '@claude-metrics/testing';
import { answers } from '@claude-metrics/testing';
import { BudgetExceededError } from '../../src/budget-error.js';
import { withContext } from '../../src/context.js';
import { SDKS, type Client } from '../capture/sdk.js';
import {
  ASK,
  CHEAP,
  collect,
  errorOf,
  HOUR,
  onStage,
  spends,
  WHOLE,
  type Stage,
} from './capture-stage.js';

/** A batch holds half the price of all its requests, and lets go of it result by result. */
const DAY = [{ usd: 1, per: 'day' }] as const;

function batchOf(count: number, models: readonly string[] = [ASK.model]) {
  return {
    requests: Array.from({ length: count }, (_, i) => ({
      custom_id: `request ${i}`,
      params: { ...ASK, model: models[i % models.length]! },
    })),
  };
}

async function read(client: Client, id: string): Promise<number> {
  return (await collect(await client.messages.batches.results(id))).length;
}

function batchMoney(stage: Stage) {
  return stage.money('all-day');
}

describe.each(SDKS)('@anthropic-ai/sdk $version', ({ Anthropic }) => {
  it('holds half the price of all requests, and settles each result once', async () => {
    const respond = ({ customId }: SimulatedRequest) =>
      customId === 'request 0' ? spends(400) : WHOLE;
    await onStage(Anthropic, { budgets: DAY, respond }, async (stage) => {
      const { client, records } = stage;
      const { id } = await withContext({ userId: 'ada' }, () =>
        client.messages.batches.create(batchOf(4)),
      );
      expect(records[0]).toMatchObject({
        operation: 'batches',
        cost: { nanoUsd: 0 },
        budget: { verdict: 'allow', heldNanoUsd: 100_000_000 },
      });
      expect(await batchMoney(stage)).toMatchObject({ spentUsd: 0, heldUsd: 0.1 });

      expect(await read(client, id)).toBe(4);
      expect(await batchMoney(stage)).toEqual({
        spentUsd: 0.085,
        heldUsd: 0,
        uncertainUsd: 0,
        overrunUsd: 0,
        unpricedCalls: 0,
      });
      expect(records.slice(1).map(({ userId }) => userId)).toEqual(['ada', 'ada', 'ada', 'ada']);
      await read(client, id);
      await read(client, id);
      expect(records).toHaveLength(5);
      expect((await batchMoney(stage)).spentUsd).toBe(0.085);
    });
  });

  it('releases the rest with the last result, and not before', async () => {
    const respond = ({ customId }: SimulatedRequest) =>
      customId === null ? {} : spends(Number(customId.at(-1)) * 100);
    await onStage(Anthropic, { budgets: DAY, respond }, async (stage) => {
      const { id } = await stage.client.messages.batches.create(batchOf(4));
      const held: number[] = [];
      for await (const _ of await stage.client.messages.batches.results(id)) {
        const { spentUsd, heldUsd } = await batchMoney(stage);
        expect(spentUsd + heldUsd).toBeLessThanOrEqual(0.1 + 1e-9);
        held.push(heldUsd);
      }
      expect(held.at(-1)).toBe(0);
      const { spentUsd } = await batchMoney(stage);
      expect(spentUsd).toBeCloseTo(0.025 * 0.6, 9);
    });
  });

  it('is refused as a whole', async () => {
    await onStage(Anthropic, { budgets: DAY }, async (stage) => {
      const error = await errorOf(() => stage.client.messages.batches.create(batchOf(41)));
      expect(error).toBeInstanceOf(BudgetExceededError);
      expect(error).toMatchObject({ worstCaseUsd: 1.025 });
      expect(stage.simulator.requests).toHaveLength(0);
      await stage.client.messages.batches.create(batchOf(40));
      expect(await batchMoney(stage)).toMatchObject({ heldUsd: 1 });
      expect(await errorOf(() => stage.client.messages.create(ASK))).toMatchObject({ heldUsd: 1 });
      await stage.pass(26 * HOUR);
    });
  });

  it('is never made cheaper: its requests are what they are', async () => {
    const budgets = [{ usd: 0.06, per: 'day', action: 'downgrade', models: [CHEAP] }] as const;
    await onStage(Anthropic, { budgets }, async (stage) => {
      expect(await errorOf(() => stage.client.messages.batches.create(batchOf(3)))).toBeInstanceOf(
        BudgetExceededError,
      );
      const { id } = await stage.client.messages.batches.create(batchOf(3, [CHEAP]));
      expect(stage.simulator.requests[0]?.body).toEqual(batchOf(3, [CHEAP]));
      await read(stage.client, id);
      expect(await batchMoney(stage)).toMatchObject({ spentUsd: 0.015, heldUsd: 0 });
    });
  });

  it('counts nothing for results that failed or were canceled', async () => {
    const respond = ({ customId }: SimulatedRequest) =>
      customId === 'request 1' ? answers.promptTooLong() : WHOLE;
    await onStage(Anthropic, { budgets: DAY, respond }, async (stage) => {
      const { batches } = stage.client.messages;
      const failed = await batches.create(batchOf(2));
      await read(stage.client, failed.id);
      expect(await batchMoney(stage)).toMatchObject({ spentUsd: 0.025, heldUsd: 0 });
      const canceled = await batches.create(batchOf(2));
      await batches.cancel(canceled.id);
      await read(stage.client, canceled.id);
      expect(await batchMoney(stage)).toMatchObject({ spentUsd: 0.025, heldUsd: 0 });
    });
  });

  it('gives back what it held when it could not be created', async () => {
    await onStage(Anthropic, { budgets: DAY }, async (stage) => {
      stage.simulator.enqueue(answers.badRequest());
      await errorOf(() => stage.client.messages.batches.create(batchOf(4)));
      expect(await batchMoney(stage)).toMatchObject({ spentUsd: 0, heldUsd: 0 });
    });
  });

  it('charges the results of a batch that it knows nothing of', async () => {
    const budgets = [...DAY, { usd: 1, per: 'day', of: 'feature' }] as const;
    await onStage(Anthropic, { budgets }, async (stage) => {
      const elsewhere = new Anthropic({ apiKey: 'k', baseURL: stage.simulator.url });
      const { id } = await elsewhere.messages.batches.create(batchOf(3));
      await withContext({ feature: 'report' }, () => read(stage.client, id));
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.075, overrunUsd: 0 });
      expect(await stage.money('feature-day', 'report')).toMatchObject({ spentUsd: 0.075 });
      await read(stage.client, id);
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.075 });
    });
  });

  it('holds for a day, and what is read later is charged and told', async () => {
    await onStage(Anthropic, { budgets: [{ usd: 1, per: 'month' }] }, async (stage) => {
      const { id } = await stage.client.messages.batches.create(batchOf(4));
      await stage.pass(24 * HOUR);
      expect(await stage.held()).toBe(0.1);
      await stage.pass(2 * HOUR);
      expect(await stage.held()).toBe(0);
      await read(stage.client, id);
      expect(await stage.money('all-month')).toMatchObject({
        spentUsd: 0.1,
        heldUsd: 0,
        overrunUsd: 0.1,
      });
    });
  });

  it('holds once more when its creation may have succeeded unheard', async () => {
    await onStage(Anthropic, { budgets: DAY }, async (stage) => {
      stage.simulator.enqueue({ ending: 'reset', beforeHeaders: true });
      const { id } = await stage.client.messages.batches.create(batchOf(4));
      expect(await batchMoney(stage)).toMatchObject({ heldUsd: 0.2 });
      await read(stage.client, id);
      // The batch that may have been created twice may be billed twice.
      expect(await batchMoney(stage)).toMatchObject({
        spentUsd: 0.2,
        uncertainUsd: 0.1,
        heldUsd: 0,
      });
    });
  });
});
