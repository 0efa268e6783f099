import { BudgetExceededError } from '../../src/budget-error.js';
import type { BudgetOptions } from '../../src/budgets/options.js';
import { SDKS } from '../capture/sdk.js';
import {
  ASK,
  collect,
  DEAR,
  errorOf,
  HOUR,
  NOON,
  onStage,
  PRICES,
  STREAM,
} from './capture-stage.js';

/** What goes wrong inside of budgets, or is handed to them, breaks no call. */
const DAY: BudgetOptions = { usd: 1, per: 'day' };
const boom = (): never => {
  throw new Error('The application has a fault.');
};

describe.each(SDKS)('@anthropic-ai/sdk $version', ({ Anthropic }) => {
  it('a limit that cannot be found out is no limit to warn of, but one to block at', async () => {
    const faults = ['budget.usd:all-day'];
    const warn: BudgetOptions = { ...DAY, usd: boom, action: 'warn' };
    await onStage(Anthropic, { budgets: [warn], faults }, async (stage) => {
      await stage.client.messages.create(ASK);
      await collect(await stage.client.messages.create(STREAM));
      expect(stage.records.map(({ outcome }) => outcome)).toEqual(['ok', 'ok']);
      expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.1 });
    });
    await onStage(Anthropic, { budgets: [{ ...DAY, usd: boom }], faults }, async (stage) => {
      const error = await errorOf(() => stage.client.messages.create(ASK));
      expect(error).toBeInstanceOf(BudgetExceededError);
      expect(error).toMatchObject({ limitUsd: 0, reason: 'limit' });
    });
  });

  it.each([NaN, -1, '5', undefined, {}])('a limit of %p is none', async (usd) => {
    const budgets = [{ ...DAY, usd: () => usd as number }];
    const faults = usd === undefined ? [] : ['budget.usd:all-day'];
    await onStage(Anthropic, { budgets, faults }, async ({ client, simulator }) => {
      expect(await errorOf(() => client.messages.create(ASK))).toBeInstanceOf(BudgetExceededError);
      expect(simulator.requests).toHaveLength(0);
    });
  });

  it('a match that fails leaves the budget on', async () => {
    const budgets: BudgetOptions[] = [{ ...DAY, usd: 0.05, match: boom }];
    await onStage(Anthropic, { budgets, faults: ['budget.match:all-day'] }, async (stage) => {
      await stage.client.messages.create(ASK);
      expect(await errorOf(() => stage.client.messages.create(ASK))).toBeInstanceOf(
        BudgetExceededError,
      );
    });
  });

  it('a call whose admission fails goes on, and its cost is charged when it is known', async () => {
    let broken = false;
    const models = { ...PRICES.models };
    Object.defineProperty(models, DEAR, {
      enumerable: true,
      get: () => (broken ? boom() : PRICES.models[DEAR]),
    });
    await onStage(
      Anthropic,
      {
        budgets: [{ ...DAY, usd: 0.01 }],
        prices: { ...PRICES, models },
        faults: ['budgets.admit'],
      },
      async (stage) => {
        broken = true;
        await stage.client.messages.create(ASK);
        await collect(await stage.client.messages.create(STREAM));
        broken = false;
        expect(stage.simulator.requests.map(({ body }) => body)).toEqual([ASK, STREAM]);
        expect(stage.records.map(({ outcome, budget }) => [outcome, budget])).toEqual([
          ['ok', null],
          ['ok', null],
        ]);
        expect(await stage.money('all-day')).toMatchObject({ spentUsd: 0.1, heldUsd: 0 });
        expect(await errorOf(() => stage.client.messages.create(ASK))).toBeInstanceOf(
          BudgetExceededError,
        );
      },
    );
  });

  it.each(['model', 'stream', 'messages', 'max_tokens'])(
    'a body whose %s cannot be read a second time is sent all the same',
    async (field) => {
      let reads = 0;
      const hostile = { ...ASK };
      Object.defineProperty(hostile, field, {
        enumerable: true,
        get() {
          reads += 1;
          // The SDK reads it once, to make JSON of it.
          if (reads > 1) throw new Error('Only once.');
          return field === 'stream' ? false : ASK[field as keyof typeof ASK];
        },
      });
      const faults = field === 'model' || field === 'stream' ? ['capture.call'] : [];
      const budgets = [{ ...DAY, usd: 100 }];
      await onStage(Anthropic, { budgets, faults }, async ({ client, simulator }) => {
        await client.post('/v1/messages', { body: hostile });
        expect(simulator.requests[0]?.body).toMatchObject(ASK);
      });
    },
  );

  it('a body that makes its own JSON is not what it looks like, and has no bound', async () => {
    const body = { model: ASK.model, max_tokens: 1, messages: [], toJSON: () => ASK };
    const budgets: BudgetOptions[] = [{ ...DAY, unbounded: 'block' }];
    await onStage(Anthropic, { budgets }, async ({ client, simulator }) => {
      expect(await errorOf(() => client.post('/v1/messages', { body }))).toMatchObject({
        reason: 'unbounded',
      });
      expect(simulator.requests).toHaveLength(0);
    });
  });

  it('whoever fails to hear of a budget stops no call', async () => {
    const budgets: BudgetOptions[] = [{ ...DAY, usd: 0.05, warnAt: [0.1] }];
    const sinks = [{ name: 'deaf', record() {}, budget: boom }];
    await onStage(
      Anthropic,
      { budgets, sinks, onNotice: boom, faults: ['say', 'sink:deaf'] },
      async (stage) => {
        await stage.client.messages.create(ASK);
        await errorOf(() => stage.client.messages.create(ASK));
        expect(stage.records.map(({ outcome }) => outcome)).toEqual(['ok', 'blocked']);
        expect(stage.events.map(({ type }) => type)).toEqual(['threshold', 'exhausted']);
      },
    );
  });

  it('a call that is refused at the first fault of the clock holds nothing for ever', async () => {
    await onStage(Anthropic, { budgets: [DAY] }, async (stage) => {
      // A clock that is set a year ahead and back again.
      stage.set(NOON + 365 * 24 * HOUR);
      await stage.client.messages.create(ASK);
      stage.set(NOON);
      await stage.client.messages.create(ASK);
      expect(await stage.held()).toBe(0);
    });
  });
});
