/** Plays one random life of a budget engine: calls, endings, clocks that jump, corrections. */
import type { HeldTicket } from '../../src/budgets/tickets.js';
import type { CallRecord } from '../../src/record.js';
import type { Draw } from './draw.js';
import { ended, engineOf, HOUR, NANO, SONNET } from './engine.js';
import {
  admissionOf,
  anyBudget,
  anyCall,
  check,
  checkReports,
  claim,
  pick,
  same,
  type Held,
  type Life,
} from './engine-life.js';
import { hasRoom, modelOf, scopeOf, type ModelCall, type ModelPart } from './engine-model.js';

export function playEngine(draw: Draw, said?: string[]): void {
  const factor = { value: 1 };
  const options = Array.from({ length: 1 + draw(4) }, (_, i) => anyBudget(draw, i, factor));
  said?.push(options.map((each) => JSON.stringify(each)).join(', '));
  const engine = engineOf(...options);
  if (engine.budgets.ready) throw new Error('load the calendar first');
  const model = modelOf(options);
  const life: Life = { engine, model, factor, said, held: [], real: new Map(), batches: 0 };
  for (let left = 3 + draw(60); left > 0; left -= 1) {
    step(life, draw);
    check(life);
    if (draw(8) === 0) checkReports(life);
  }
  checkHigherLimits(life, draw);
  for (const { ticket } of life.held) ticket.alive();
  engine.clock.monotonic += 1e9;
  for (const each of life.held) each.alive = false;
  engine.budgets.sweep();
  for (const each of life.held) if (each.state === 'held') letGo(each, 'expired');
  check(life);
  checkReports(life);
  for (const { held } of life.real.values()) claim(held === 0, 'I9: every hold has ended');
}

function step(life: Life, draw: Draw): void {
  const { engine, model, held } = life;
  const { clock, budgets } = engine;
  const one = held.length === 0 ? undefined : held[draw(held.length)];
  switch (draw(12)) {
    case 6:
      clock.now += (draw(2) === 0 ? 1 : -1) * pick(draw, [60_000, HOUR, 24 * HOUR, 7 * HOUR]);
      life.said?.push(`it is ${new Date(clock.now).toISOString()}`);
      return;
    case 7: {
      clock.monotonic += pick(draw, [1_000, 61_000, 26 * HOUR]);
      if (one) one.alive = draw(3) === 0;
      budgets.sweep();
      life.said?.push('sweep');
      for (const each of held) sweep(each, clock.monotonic);
      for (const budget of model.budgets) model.periodOf(budget, clock.now);
      return;
    }
    case 8:
      if (one) readmit(life, one);
      return;
    case 9:
      return draw(2) === 0
        ? charge(life, recordOf(draw, anyCall(life, draw), null))
        : fix(life, draw);
    case 4:
    case 5:
    case 10:
    case 11:
      if (one) end(life, one, draw);
      return;
    default:
      return admit(life, anyCall(life, draw));
  }
}

function admit(life: Life, call: ModelCall): void {
  const { engine, model, held, real } = life;
  const { budgets, clock, ceiling } = engine;
  let own: Held | undefined;
  const admission = admissionOf(call, () => own);
  ceiling.nanoUsd = call.ceiling;
  const asked = budgets.canSpend(admission);
  check(life);
  const answer = budgets.admit(admission);
  const expected = model.decide(call);
  life.said?.push(`admit ${JSON.stringify(call)}: ${JSON.stringify(answer?.budget ?? null)}`);
  const { verdict, reason, budget, model: sent, maxTokens, wouldBlock } = expected ?? NOTHING;
  const decided = answer?.budget ?? { ...NOTHING, sentModel: null, sentMaxTokens: null };
  same('verdict', decided.verdict, verdict);
  same('reason', decided.reason, reason);
  same('budget', decided.budget, budget);
  same('model', decided.sentModel, sent);
  same('max_tokens', decided.sentMaxTokens, maxTokens);
  same('shadows', decided.wouldBlock.join(), wouldBlock.join());
  same('canSpend verdict', asked.verdict, verdict);
  same('canSpend budget', asked.budget?.budget ?? null, budget);
  same('canSpend model', asked.model, sent);
  same('canSpend max_tokens', asked.maxTokens, maxTokens);
  if (expected === null || verdict === 'block') {
    const deciding = expected?.parts.find(({ account }) => account.budget.name === budget);
    if (deciding && reason === 'limit') deciding.account.refused += 1;
    claim(!answer || answer.error !== undefined, 'a refusal, or no ticket');
    return;
  }
  const ticket = answer as HeldTicket;
  for (const part of expected.parts) part.account.held += part.open;
  bind(real, expected.parts, ticket);
  own = {
    ...{ ticket, admission, model: sent ?? call.model, parts: expected.parts },
    ...{ state: 'held', lost: 0n, alive: false, expiresAt: clock.monotonic + 60_000 },
    ...{ batchId: null, results: call.bodies.length },
  };
  if (call.batch) {
    own.batchId = `batch-${(life.batches += 1)}`;
    own.expiresAt = clock.monotonic + 25 * HOUR;
    budgets.keep(ticket, own.batchId);
  }
  held.push(own);
}

const NOTHING = {
  ...{ verdict: 'allow', reason: null, budget: null, model: null, maxTokens: null },
  wouldBlock: [] as readonly string[],
} as const;

/** Which account of the engine is which of the model: always the same, and never two. */
function bind(real: Life['real'], parts: readonly ModelPart[], { hold }: HeldTicket): void {
  same('parts', hold.parts.length, parts.length);
  parts.forEach(({ account, perAttempt }, i) => {
    const { balance, book, perAttempt: amount } = hold.parts[i]!;
    same('budget of a part', book.budget.name, account.budget.name);
    same('scope of a part', balance.scope, account.scope);
    same('period of a part', balance.period.from, account.from);
    same('amount of a part', BigInt(amount), perAttempt);
    claim((real.get(account) ?? balance) === balance, `two accounts of ${account.key}`);
    real.set(account, balance);
  });
}

function recordOf(draw: Draw, call: ModelCall | Held, most: bigint | null): CallRecord {
  const { at, context } = 'admission' in call ? call.admission : call;
  // Without a usage nothing is learned from it: estimates are tested elsewhere.
  const more = { ...context, at, model: call.model, budget: null, usage: null };
  const kind = draw(6);
  if (kind === 0) return ended.free(more);
  if (kind === 1) return ended.unpriced(pick(draw, ['no_usage', 'unknown_model'] as const), more);
  return ended.priced(
    most === null ? draw(9_000_000) : Number(most - (most * BigInt(draw(100))) / 100n),
    more,
  );
}

function end(life: Life, own: Held, draw: Draw): void {
  const { budgets } = life.engine;
  const smallest = own.parts.reduce(
    (least, part) => (part.perAttempt < least ? part.perAttempt : least),
    1n << 50n,
  );
  const record = recordOf(draw, own, smallest);
  const ended = own.state === 'settled';
  life.said?.push(
    `end ${life.held.indexOf(own)}: ${String(record.cost?.nanoUsd ?? record.unpricedReason)}`,
  );
  const { cost } = record;
  if (own.batchId !== null) {
    if (ended) return;
    budgets.settleResult(own.batchId, record);
    for (const part of own.parts)
      pay(own, part, cost ? BigInt(cost.nanoUsd) : 0n, 0n, cost !== null);
    own.results -= 1;
    if (own.results === 0) letGo(own, 'settled');
    return;
  }
  budgets.settle(own.ticket, record);
  if (ended) return;
  const priced = cost !== null || record.unpricedReason === 'no_usage';
  for (const part of own.parts) {
    const lost = own.lost * part.perAttempt;
    if (cost) pay(own, part, BigInt(cost.nanoUsd) + lost, lost, true);
    else pay(own, part, part.perAttempt + lost, part.perAttempt + lost, priced);
  }
  letGo(own, 'settled');
}

function pay(own: Held, part: ModelPart, nano: bigint, uncertain: bigint, priced: boolean): void {
  const { account } = part;
  const covered = own.state !== 'held' ? 0n : nano < part.open ? nano : part.open;
  part.open -= covered;
  account.held -= covered;
  account.spent += nano;
  account.uncertain += uncertain;
  account.overrun += nano - covered;
  account.extra += nano - covered;
  if (!priced) account.unpriced += 1n;
}

function letGo(own: Held, state: Held['state']): void {
  if (own.state === 'held') {
    for (const part of own.parts) {
      part.account.held -= part.open;
      part.open = 0n;
    }
  }
  own.state = state;
}

function sweep(own: Held, monotonic: number): void {
  if (own.state !== 'held' || monotonic < own.expiresAt) return;
  if (own.alive) own.expiresAt = monotonic + 60_000;
  else letGo(own, 'expired');
}

function readmit(life: Life, own: Held): void {
  const { engine, model, real } = life;
  if (own.state === 'settled' || own.batchId !== null) return;
  const answer = engine.budgets.readmit(own.ticket);
  life.said?.push(`readmit ${life.held.indexOf(own)}: ${answer === null ? 'yes' : 'no'}`);
  if (own.state === 'expired') {
    for (const part of own.parts) {
      const nano = part.perAttempt * (own.lost + 1n);
      pay(own, part, nano, nano, true);
    }
    letGo(own, 'settled');
    own.parts = own.parts.map(({ account: { budget, scope }, ...part }) => ({
      ...part,
      open: 0n,
      account: model.accountOf(budget, scope, engine.clock.now),
    }));
    if (!hasRoomAgain(own, answer === null)) return;
    bind(real, own.parts, own.ticket);
    own.state = 'held';
    own.lost = -1n;
    own.expiresAt = engine.clock.monotonic + 60_000;
  }
  if (!hasRoomAgain(own, answer === null)) return;
  own.lost += 1n;
  for (const part of own.parts) {
    part.open += part.perAttempt;
    part.account.held += part.perAttempt;
  }
}

/** A retry without room is a refusal of the first budget that has none. */
function hasRoomAgain(own: Held, readmitted: boolean): boolean {
  const short = own.parts.find((part) => part.enforced && !hasRoom(part, part.perAttempt));
  same('readmitted', readmitted, short === undefined);
  if (short) short.account.refused += 1;
  return short === undefined;
}

function charge({ engine, model, said }: Life, record: CallRecord): void {
  engine.budgets.charge(record);
  said?.push(`charge ${String(record.cost?.nanoUsd)}`);
  const { now } = engine.clock;
  for (const budget of model.budgets) {
    if (budget.per === 'call' || record.at < model.periodOf(budget, now).from) continue;
    if (budget.match !== null && !budget.match(record)) continue;
    const account = model.accountOf(budget, scopeOf(budget, record), now);
    const nano = BigInt(record.cost?.nanoUsd ?? 0);
    account.spent += nano;
    account.extra += nano;
    if (record.cost === null) account.unpriced += 1n;
  }
}

function fix({ engine, model, said }: Life, draw: Draw): void {
  const budget = pick(draw, model.budgets);
  if (budget.per === 'call') return;
  const scope = budget.of === 'all' ? null : pick(draw, ['ada', 'chat', SONNET, 'red']);
  const nano = BigInt(draw(20_000_000) - 10_000_000);
  const usd = Number(nano) / NANO;
  said?.push(`adjust ${budget.name} ${String(scope)} by ${usd}`);
  const told = engine.budgets.adjust({ budget: budget.name, scope, usd, reason: 'a test' });
  const account = model.accountOf(budget, scope, engine.clock.now);
  const spent = account.spent + nano < 0n ? 0n : account.spent + nano;
  same('adjusted', Math.round(told.usd * NANO), Number(spent - account.spent));
  account.extra += nano > 0n ? nano : 0n;
  account.spent = spent;
  if (account.uncertain > spent) account.uncertain = spent;
  if (account.overrun > spent) account.overrun = spent;
}

/**
 * I10: where a limit is doubled, what was allowed is. Of two budgets that downgrade, the one that has
 * no room any more decides by its own models, so that with more room the other one may find none.
 */
function checkHigherLimits(life: Life, draw: Draw): void {
  const { engine, factor, model } = life;
  if (model.budgets.filter(({ action }) => action === 'downgrade').length > 1) return;
  const admission = admissionOf(anyCall(life, draw), () => undefined);
  const before = engine.budgets.canSpend(admission);
  factor.value = 2;
  const after = engine.budgets.canSpend(admission);
  factor.value = 1;
  claim(before.verdict === 'block' || after.verdict !== 'block', 'I10: a higher limit refuses');
}
