/**
 * Budgets that hold what calls usually take: a limit that is used up, and passed by no more than the
 * estimates of the calls under way were wrong.
 */
import { createLearned } from '../../src/budgets/learned.js';
import type { HeldTicket } from '../../src/budgets/tickets.js';
import { prices } from '../../src/prices.js';
import { costOf as priceOf } from '../../src/pricing.js';
import { NO_TOKENS, type CallRecord } from '../../src/record.js';
import { requestSizeOf } from '../../src/request-size.js';
import { callRecord, NOW } from '../state-fixture.js';
import { drawFrom, seed, type Draw } from './draw.js';
import {
  asked,
  bodyOf,
  HOUR,
  NANO,
  readyEngine,
  SONNET,
  usd,
  worstOf,
  type Engine,
} from './engine.js';

const at = new Date(NOW);

/** An answered call as it is priced. */
function answered(uncachedInput: number, output: number, more: Partial<CallRecord> = {}) {
  const usage = { input_tokens: uncachedInput, output_tokens: output };
  const cost = priceOf(usage, SONNET, { at, prices });
  const tokens = { ...NO_TOKENS, uncachedInput, output };
  return callRecord({ feature: 'chat', usage, tokens, cost, model: SONNET, ...more });
}

/** Around `mean`, mostly, and now and then three times as much; at least 1. */
function around(draw: Draw, mean: number): number {
  const spread = (draw(1_000) + draw(1_000) + draw(1_000) - 1_500) / 1_500;
  return Math.max(1, Math.round(mean * (1 + spread * 0.6) * (draw(20) === 0 ? 3 : 1)));
}

/** As many calls as are let through, `parallel` of them at once, until none has been for a while. */
function drive(engine: Engine, draw: Draw, parallel: number, maxTokens: number) {
  const { budgets, clock } = engine;
  const open: { ticket: HeldTicket; cost: CallRecord }[] = [];
  let refusedInARow = 0;
  let most = 0;
  const end = () => {
    const [next] = open.splice(draw(open.length), 1);
    budgets.settle(next!.ticket, next!.cost);
  };
  while (refusedInARow < 5 * parallel) {
    const answer = budgets.admit(asked({ maxTokens, at: clock.now }));
    if (answer && !answer.error) {
      const output = Math.min(around(draw, 300), maxTokens);
      open.push({ ticket: answer as HeldTicket, cost: answered(20, output) });
      refusedInARow = 0;
    } else {
      refusedInARow += 1;
    }
    while (open.length >= parallel || (open.length > 0 && refusedInARow > 0)) {
      const errors = open.map(({ ticket, cost }) => {
        const { amount } = ticket.hold.parts[0]!;
        return Math.max(0, (cost.cost?.nanoUsd ?? 0) - amount);
      });
      most = Math.max(
        most,
        errors.reduce((sum, error) => sum + error, 0),
      );
      end();
      if (refusedInARow > 0) break;
    }
  }
  while (open.length > 0) end();
  const { spentUsd, heldUsd, overrunUsd } = budgets.reports()[0]!.scopes[0]!;
  return { spent: spentUsd * NANO, held: heldUsd, overrun: overrunUsd * NANO, most };
}

describe(`a budget that holds estimates (seed ${seed})`, () => {
  it.each([1, 4, 16])('uses 95 %% of its limit, with %d calls at once', async (parallel) => {
    for (let run = 0; run < 10; run += 1) {
      const limit = 400 * answered(20, 300).cost!.nanoUsd;
      const engine = await readyEngine({ usd: usd(limit), per: 'day', hold: 'estimate' });
      const { spent, held, most } = drive(engine, drawFrom(seed + run), parallel, 4_096);
      expect(held).toBe(0);
      expect(spent).toBeGreaterThan(0.95 * limit);
      expect(spent).toBeLessThanOrEqual(limit + most);
    }
  });

  it('passes its limit by no more than was counted as overrun', async () => {
    for (let run = 0; run < 20; run += 1) {
      const limit = 50 * answered(20, 300).cost!.nanoUsd;
      const engine = await readyEngine({ usd: usd(limit), per: 'day', hold: 'estimate' });
      const { spent, overrun } = drive(engine, drawFrom(seed + run), 8, 4_096);
      expect(Math.round(spent - overrun)).toBeLessThanOrEqual(limit);
    }
  });

  it('lets through many times more calls at once than one that holds the worst case', async () => {
    const many = async (hold: 'estimate' | 'worst-case') => {
      const engine = await readyEngine({ usd: 1, per: 'day', hold });
      for (let i = 0; i < 20; i += 1) {
        const ticket = engine.budgets.admit(asked({ maxTokens: 16_000 }));
        engine.budgets.settle(ticket as HeldTicket, answered(20, 250 + i));
      }
      let calls = 0;
      while (engine.budgets.admit(asked({ maxTokens: 16_000 }))?.error === undefined) calls += 1;
      return calls;
    };
    const [estimated, worst] = [await many('estimate'), await many('worst-case')];
    expect(estimated).toBeGreaterThan(20 * worst);
  });
});

describe('what a call usually takes', () => {
  const size = requestSizeOf(bodyOf({ maxTokens: 4_096 }));

  it('is not known before five calls of the model and feature have ended', () => {
    const learned = createLearned();
    for (let i = 0; i < 5; i += 1) {
      expect(learned.estimate(SONNET, 'chat', size)).toBeNull();
      learned.learn(answered(20, 300), size);
    }
    expect(learned.estimate(SONNET, 'chat', size)).not.toBeNull();
    expect(learned.estimate(SONNET, 'search', size)).toBeNull();
    expect(learned.estimate('claude-opus-5-5', 'chat', size)).toBeNull();
  });

  it('is rarely more than is estimated, and the estimate far below the worst case', () => {
    const learned = createLearned();
    const draw = drawFrom(seed);
    let tooLow = 0;
    let estimated = 0;
    for (let i = 0; i < 2_000; i += 1) {
      const output = Math.min(around(draw, 300), 4_096);
      const estimate = learned.estimate(SONNET, 'chat', size);
      estimated += estimate?.outputTokens ?? 0;
      if (estimate && output > estimate.outputTokens) tooLow += 1;
      learned.learn(answered(20, output), size);
    }
    expect(tooLow / 2_000).toBeLessThan(0.1);
    expect(estimated / 2_000).toBeLessThan(4_096 / 3);
  });

  it('is never estimated above what was asked for', () => {
    const learned = createLearned();
    for (let i = 0; i < 10; i += 1) learned.learn(answered(20, 300 * (1 + (i % 2))), size);
    const small = requestSizeOf(bodyOf({ maxTokens: 100 }));
    expect(learned.estimate(SONNET, 'chat', small)?.outputTokens).toBe(100);
  });

  it('grows with the prompt', () => {
    const learned = createLearned();
    const sizeOf = (bytes: number) =>
      requestSizeOf(bodyOf({ body: { messages: [{ role: 'user', content: 'x'.repeat(bytes) }] } }));
    for (let i = 0; i < 20; i += 1) learned.learn(answered(2_580, 300), sizeOf(10_000));
    const [small, large] = [1_000, 100_000].map((bytes) =>
      learned.estimate(SONNET, 'chat', sizeOf(bytes)),
    );
    expect(large!.inputTokens / small!.inputTokens).toBeGreaterThan(50);
  });

  it('is learned once from a call, and of the model that was sent', async () => {
    const options = { usd: 1, per: 'day', action: 'downgrade', hold: 'estimate' } as const;
    const { budgets, clock } = await readyEngine({ ...options, models: [SONNET] });
    const ticket = budgets.admit(asked()) as HeldTicket;
    for (let i = 0; i < 10; i += 1) budgets.settle(ticket, answered(20, 10));
    clock.now += HOUR;
    expect((budgets.admit(asked()) as HeldTicket).budget.heldNanoUsd).toBe(worstOf());
  });

  it('is not learned from calls that say nothing of it', () => {
    const learned = createLearned();
    for (let i = 0; i < 10; i += 1) {
      learned.learn(answered(20, 300, { usage: null }), size);
      learned.learn(answered(20, 300, { priceStatus: 'estimated' }), size);
    }
    expect(learned.estimate(SONNET, 'chat', size)).toBeNull();
  });

  it('is kept for a thousand kinds of calls', () => {
    const learned = createLearned();
    const feature = (i: number) => ({ feature: `feature-${i}` });
    for (let i = 0; i < 1_001; i += 1) {
      for (let times = 0; times < 5; times += 1) learned.learn(answered(20, 300, feature(i)), size);
    }
    expect(learned.estimate(SONNET, 'feature-0', size)).toBeNull();
    expect(learned.estimate(SONNET, 'feature-1000', size)).not.toBeNull();
  });
});
