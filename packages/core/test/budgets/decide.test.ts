/** What is decided about a call, and that asking first says the same and changes nothing. */
import { worstCaseOf } from '../../src/worst-case.js';
import { requestSizeOf } from '../../src/request-size.js';
import { prices } from '../../src/prices.js';
import { NOW } from '../state-fixture.js';
import {
  asked,
  bodyOf,
  ended,
  HAIKU,
  held,
  moneyOf,
  OPUS,
  readyEngine,
  refused,
  SONNET,
  usd,
  worstOf,
  type AskedCall,
  type Engine,
} from './engine.js';

const one = worstOf();
const day = { per: 'day' } as const;
const downgrade = { ...day, action: 'downgrade' } as const;

/** Asks first, then makes the call: both say the same. */
function decisionOf({ budgets }: Engine, call: AskedCall = {}) {
  const before = JSON.stringify(budgets.reports(Infinity));
  const decision = budgets.canSpend(asked(call));
  expect(JSON.stringify(budgets.reports(Infinity))).toBe(before);
  const answer = budgets.admit(asked(call));
  expect(decision).toMatchObject({
    verdict: answer?.budget.verdict ?? 'allow',
    reason: answer?.budget.reason ?? null,
    model: answer?.budget.sentModel ?? null,
    maxTokens: answer?.budget.sentMaxTokens ?? null,
    wouldBlock: answer?.budget.wouldBlock ?? [],
  });
  expect(decision.budget?.budget ?? null).toBe(answer?.budget.budget ?? null);
  return { ...decision, answer };
}

const costAt = (model: string, maxTokens: number, call: AskedCall = {}) =>
  worstCaseOf(requestSizeOf(bodyOf({ ...call, maxTokens })), model, NOW, prices)!.nanoUsd;

describe('a call', () => {
  it('fits to the last nano-dollar of its worst case, and not one less', async () => {
    expect(decisionOf(await readyEngine({ usd: usd(one), ...day })).verdict).toBe('allow');
    const { verdict, reason, answer } = decisionOf(
      await readyEngine({ usd: usd(one - 1), ...day }),
    );
    expect({ verdict, reason }).toEqual({ verdict: 'block', reason: 'limit' });
    expect(refused(answer).error).toMatchObject({
      ...{ budget: 'all-day', scope: null, spentUsd: 0, heldUsd: 0, limitUsd: usd(one - 1) },
      ...{ worstCaseUsd: usd(one), status: 429, resetsAt: '2026-11-25T00:00:00.000Z' },
      // A new day makes no room for what is larger than the limit.
      retryAfterSeconds: null,
    });
  });

  it('is warned of where so much is spent already', async () => {
    const engine = await readyEngine({ usd: usd(10 * one), ...day });
    const verdicts = Array.from({ length: 11 }, () => {
      const { verdict, answer } = decisionOf(engine);
      if (verdict !== 'block') engine.budgets.settle(held(answer), ended.priced(one));
      return verdict;
    });
    expect(verdicts).toEqual([
      ...Array.from({ length: 5 }, () => 'allow'),
      ...Array.from({ length: 5 }, () => 'warn'),
      'block',
    ]);
    expect(engine.budgets.reports()[0]).toMatchObject({
      calls: { allow: 5, warn: 5, clamp: 0, downgrade: 0, block: 1 },
    });
  });

  it('never fits into a limit of 0, and always where there is no limit', async () => {
    const none = await readyEngine({ usd: 0, ...day });
    const endless = await readyEngine({ usd: Infinity, ...day });
    for (const maxTokens of [1, 1_000, 128_000, null]) {
      expect(decisionOf(none, { maxTokens }).verdict).toBe('block');
      expect(decisionOf(endless, { maxTokens }).verdict).toBe('allow');
    }
    expect(moneyOf(none, 'all-day')).toEqual({ spent: 0, held: 0 });
  });

  it('holds on all its budgets or on none', async () => {
    const engine = await readyEngine(
      { usd: 1, ...day },
      { usd: 1, ...day, of: 'user' },
      { usd: 0, ...day, of: 'feature', name: 'none' },
    );
    const { answer } = decisionOf(engine);
    expect(refused(answer).error.budget).toBe('none');
    expect(engine.budgets.reports().map(({ scopeCount }) => scopeCount)).toEqual([0, 0, 1]);
    expect(moneyOf(engine, 'none', 'chat')).toEqual({ spent: 0, held: 0 });
  });

  it('is told how long to wait', async () => {
    const engine = await readyEngine({ usd: usd(1.5 * one), ...day });
    const ticket = held(engine.budgets.admit(asked()));
    const soon = refused(engine.budgets.admit(asked())).error;
    expect(soon.retryAfterSeconds).toBe(5);
    expect(soon.message).toContain('is held by other calls at the moment');
    engine.budgets.settle(ticket, ended.priced(one));
    const later = refused(engine.budgets.admit(asked())).error;
    expect(later.retryAfterSeconds).toBe((Date.UTC(2026, 10, 25) - NOW) / 1_000);
    expect(later.headers).toEqual({ 'retry-after': String(later.retryAfterSeconds) });
    expect(later.message).toContain('is used up for this day. It resets at 2026-11-25');
  });
});

describe('a model without a price', () => {
  const unknown = { model: 'claude-of-tomorrow' };

  it('is refused by what blocks and allowed by what warns', async () => {
    const blocking = await readyEngine({ usd: 100, ...day });
    expect(decisionOf(blocking, unknown)).toMatchObject({ verdict: 'block', reason: 'unpriced' });
    expect(refused(blocking.budgets.admit(asked(unknown))).error.retryAfterSeconds).toBeNull();
    const warning = await readyEngine({ usd: 100, ...day, action: 'warn' });
    expect(decisionOf(warning, unknown).verdict).toBe('allow');
  });

  it('is allowed where the budget says so, or its cost is declared', async () => {
    const open = await readyEngine({ usd: 100, ...day, unpriced: 'allow' });
    expect(decisionOf(open, unknown).answer?.budget.heldNanoUsd).toBe(1);
    const declared = await readyEngine({ usd: 100, ...day, maxCostUsd: 0.5 });
    expect(decisionOf(declared, unknown).answer?.budget.heldNanoUsd).toBe(500_000_000);
    declared.ceiling.nanoUsd = 7;
    expect(decisionOf(declared, unknown).answer?.budget.heldNanoUsd).toBe(7);
  });

  it('is no way around a limit of 0', async () => {
    const engine = await readyEngine({ usd: 0, ...day, unpriced: 'allow' });
    expect(decisionOf(engine, unknown)).toMatchObject({ verdict: 'block', reason: 'limit' });
  });
});

describe('a request without a bound', () => {
  const unbounded = { body: { mcp_servers: [{ type: 'url', url: 'https://example.com' }] } };

  it('is estimated, refused, or holds the ceiling that was declared', async () => {
    const estimate = await readyEngine({ usd: 100, ...day });
    expect(decisionOf(estimate, unbounded).answer?.budget.heldNanoUsd).toBe(worstOf(unbounded));
    const strict = await readyEngine({ usd: 100, ...day, unbounded: 'block' });
    const { answer, reason } = decisionOf(strict, unbounded);
    expect(reason).toBe('unbounded');
    expect(refused(answer).error.message).toContain('declare its maxCostUsd');
    strict.ceiling.nanoUsd = 2_000_000_000;
    expect(decisionOf(strict, unbounded).answer?.budget.heldNanoUsd).toBe(2_000_000_000);
  });

  it('does not have its ceiling held by a request that has a bound', async () => {
    const engine = await readyEngine({ usd: 100, ...day, maxCostUsd: 50 });
    expect(decisionOf(engine).answer?.budget.heldNanoUsd).toBe(one);
  });
});

describe('a budget in shadow mode', () => {
  it('refuses nothing and says what it would have refused', async () => {
    const engine = await readyEngine(
      { usd: usd(one), ...day, shadow: true },
      { usd: 1, ...day, of: 'user' },
    );
    expect(decisionOf(engine).wouldBlock).toEqual([]);
    expect(decisionOf(engine)).toMatchObject({ verdict: 'warn', wouldBlock: ['all-day'] });
    expect(engine.budgets.reports()[0]).toMatchObject({ shadow: true, wouldBlock: 1 });
    expect(moneyOf(engine, 'all-day').held).toBe(2 * one);
  });

  it('also says so of a call that another one refuses', async () => {
    const engine = await readyEngine(
      { usd: 0, ...day, shadow: true },
      { usd: 0, ...day, name: 'real' },
    );
    const { answer } = decisionOf(engine);
    expect(refused(answer).budget).toMatchObject({ budget: 'real', wouldBlock: ['all-day'] });
  });
});

describe('a budget that only warns', () => {
  it('lets calls pass its limit', async () => {
    const engine = await readyEngine({ usd: usd(one), ...day, action: 'warn' });
    const verdicts = Array.from({ length: 3 }, () => decisionOf(engine).verdict);
    expect(verdicts).toEqual(['allow', 'warn', 'warn']);
    expect(moneyOf(engine, 'all-day').held).toBe(3 * one);
  });
});

describe('a budget that downgrades', () => {
  it('takes the first of its models with which the call fits', async () => {
    const engine = await readyEngine({
      ...{ usd: usd(worstOf({ model: SONNET })), ...downgrade, models: [SONNET, HAIKU] },
    });
    const decision = decisionOf(engine, { model: OPUS });
    expect(decision).toMatchObject({ verdict: 'downgrade', model: SONNET, maxTokens: null });
    expect(decision.answer?.budget).toMatchObject({ heldNanoUsd: one, reason: 'limit' });
  });

  it('skips those that do not fit, and counts on the budget of the model that is sent', async () => {
    const engine = await readyEngine(
      { usd: usd(worstOf({ model: HAIKU })), ...downgrade, models: [SONNET, HAIKU] },
      { usd: 1, ...day, of: 'model' },
    );
    expect(decisionOf(engine, { model: OPUS })).toMatchObject({ model: HAIKU });
    expect(engine.budgets.reports()[1]?.scopes.map(({ scope }) => scope)).toEqual([HAIKU]);
  });

  it('refuses together with one that blocks', async () => {
    const engine = await readyEngine(
      { usd: usd(one - 1), ...downgrade, models: [HAIKU] },
      { usd: usd(one - 1), ...day, of: 'user' },
    );
    const { answer } = decisionOf(engine);
    expect(refused(answer).budget).toMatchObject({ verdict: 'block', budget: 'user-day' });
  });

  it('cuts max_tokens to what fits exactly', async () => {
    for (const limit of [costAt(SONNET, 300), costAt(SONNET, 300) + 1, 5_000_000, 8_123_457]) {
      const engine = await readyEngine({ usd: usd(limit), ...downgrade });
      const { verdict, maxTokens, model } = decisionOf(engine);
      expect({ verdict, model }).toEqual({ verdict: 'clamp', model: null });
      expect(costAt(SONNET, maxTokens!)).toBeLessThanOrEqual(limit);
      expect(costAt(SONNET, maxTokens! + 1)).toBeGreaterThan(limit);
      expect(moneyOf(engine, 'all-day').held).toBe(costAt(SONNET, maxTokens!));
    }
  });

  it('cuts it where it was not given', async () => {
    const engine = await readyEngine({ usd: usd(costAt(SONNET, 9_000)), ...downgrade });
    expect(decisionOf(engine, { maxTokens: null })).toMatchObject({ maxTokens: 9_000 });
  });

  it('cuts it for the last of its models, when none fits whole', async () => {
    const engine = await readyEngine({
      ...{ usd: usd(costAt(HAIKU, 400)), ...downgrade, models: [SONNET, HAIKU] },
    });
    expect(decisionOf(engine)).toMatchObject({
      ...{ verdict: 'downgrade', model: HAIKU, maxTokens: 400 },
    });
  });

  it('cuts it no lower than minTokens', async () => {
    const limit = usd(costAt(SONNET, 256));
    const [enough, less] = [limit, usd(costAt(SONNET, 256) - 1)];
    expect(decisionOf(await readyEngine({ usd: enough, ...downgrade })).maxTokens).toBe(256);
    expect(decisionOf(await readyEngine({ usd: less, ...downgrade })).verdict).toBe('block');
    const patient = await readyEngine({ usd: less, ...downgrade, minTokens: 255 });
    expect(decisionOf(patient).maxTokens).toBe(255);
  });

  it('cuts it no lower than the thinking needs', async () => {
    const call = {
      maxTokens: 5_000,
      body: { thinking: { type: 'enabled', budget_tokens: 2_000 } },
    };
    const enough = usd(costAt(SONNET, 2_001, call));
    const less = usd(costAt(SONNET, 2_001, call) - 1);
    const cut = decisionOf(await readyEngine({ usd: enough, ...downgrade }), call);
    expect(cut.maxTokens).toBe(2_001);
    expect(decisionOf(await readyEngine({ usd: less, ...downgrade }), call).verdict).toBe('block');
  });

  it('asks a model for no more than it can write', async () => {
    const cheap = { usd: usd(costAt(HAIKU, 64_000)), ...downgrade, models: [HAIKU] };
    const call = { maxTokens: 100_000 };
    expect(decisionOf(await readyEngine(cheap), call)).toMatchObject({
      ...{ verdict: 'downgrade', model: HAIKU, maxTokens: 64_000 },
    });
    // That would leave no room for an answer after the thinking.
    const thinking = { ...call, body: { thinking: { type: 'enabled', budget_tokens: 64_000 } } };
    expect(decisionOf(await readyEngine(cheap), thinking).verdict).toBe('block');
    const dearer = { ...cheap, usd: usd(costAt(HAIKU, 90_000)) };
    expect(decisionOf(await readyEngine(dearer), thinking).verdict).toBe('block');
  });

  it('is not kept from it by a budget that holds nothing', async () => {
    const engine = await readyEngine(
      { usd: usd(costAt(SONNET, 300)), ...downgrade },
      { usd: usd(10), ...day, of: 'user', hold: 'none' },
    );
    expect(decisionOf(engine)).toMatchObject({ verdict: 'clamp', maxTokens: 300 });
  });

  it('sends a model with a price instead of one without', async () => {
    const engine = await readyEngine({ usd: 1, ...downgrade, models: [HAIKU] });
    expect(decisionOf(engine, { model: 'claude-of-tomorrow' })).toMatchObject({
      ...{ verdict: 'downgrade', reason: 'unpriced', model: HAIKU },
    });
  });

  it('changes no batch', async () => {
    const engine = await readyEngine({ usd: usd(10), ...downgrade, models: [HAIKU] });
    const batch = {
      ...asked(),
      operation: 'batches' as const,
      body: { requests: [{ custom_id: '1', params: bodyOf() }] },
    };
    expect(engine.budgets.canSpend(batch).verdict).toBe('block');
    expect(refused(engine.budgets.admit(batch)).budget.verdict).toBe('block');
  });
});

describe('a batch', () => {
  it('holds the sum of its requests, each at half the price', async () => {
    const engine = await readyEngine({ usd: 1, ...day });
    const requests = [SONNET, HAIKU, SONNET].map((model) => ({ params: bodyOf({ model }) }));
    const half = (model: string) =>
      worstCaseOf(requestSizeOf(bodyOf()), model, NOW, prices, { batch: true })!.nanoUsd;
    engine.budgets.admit({ ...asked(), operation: 'batches', body: { requests } });
    expect(moneyOf(engine, 'all-day').held).toBe(2 * half(SONNET) + half(HAIKU));
  });

  it.each([null, {}, { requests: 'none' }, { requests: [null] }, { requests: [{ params: 5 }] }])(
    'of which nothing can be read (%j) has no price',
    async (body) => {
      const engine = await readyEngine({ usd: 1, ...day });
      const batch = { ...asked(), operation: 'batches' as const, body };
      expect(refused(engine.budgets.admit(batch)).error.reason).toBe('unpriced');
    },
  );
});

describe('the kill switch', () => {
  it('refuses the calls of a feature until it is resumed, with budgets or without', async () => {
    const engine = await readyEngine();
    expect(engine.budgets.active).toBe(false);
    engine.budgets.pause('chat', 'it talks too much');
    expect(engine.budgets.active).toBe(true);
    const { answer, verdict, reason } = decisionOf(engine);
    expect({ verdict, reason }).toEqual({ verdict: 'block', reason: 'paused' });
    const { error, budget } = refused(answer);
    expect(error).toMatchObject({
      status: 503,
      budget: 'chat',
      message: 'The feature "chat" is paused.',
    });
    expect(budget.budget).toBeNull();
    expect(decisionOf(engine, { feature: 'search' }).verdict).toBe('allow');
    expect(engine.budgets.paused()).toEqual([
      { feature: 'chat', reason: 'it talks too much', since: '2026-11-24T14:00:30.000Z' },
    ]);
    expect([engine.budgets.resume('chat'), engine.budgets.resume('chat')]).toEqual([true, false]);
    expect(decisionOf(engine).verdict).toBe('allow');
  });

  it('finds a feature by the name that calls have', async () => {
    const engine = await readyEngine();
    const long = 'x'.repeat(500);
    engine.budgets.pause(long, null);
    const [pause] = engine.budgets.paused();
    expect(decisionOf(engine, { feature: pause!.feature }).reason).toBe('paused');
    expect(engine.budgets.resume(long)).toBe(true);
  });

  it('says what it cannot do', async () => {
    const { budgets } = await readyEngine();
    expect(() => budgets.pause('', null)).toThrow(TypeError);
    for (let i = 0; i < 1_000; i += 1) budgets.pause(`feature-${i}`, null);
    expect(() => budgets.pause('one-more', null)).toThrow(RangeError);
    budgets.pause('feature-7', 'again');
    expect(budgets.paused()).toHaveLength(1_000);
  });
});
