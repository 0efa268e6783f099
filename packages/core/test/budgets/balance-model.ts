/**
 * Plays one random sequence of commands on budgets' state machine and on the naive one beside it, and
 * throws where they differ, or where an invariant does not hold.
 */
import {
  adjust,
  emptyBalance,
  expire,
  fits,
  post,
  raise,
  settle,
  take,
  voidHold,
  type Charge,
  type Hold,
} from '../../src/balance.js';
import {
  BALANCES,
  check,
  checkJournal,
  claim,
  copyOf,
  enter,
  fail,
  FIELDS,
  fold,
  hasRoom,
  type Entry,
  type ModelHold,
  type World,
} from './balance-world.js';
import type { Draw } from './draw.js';

const MOST_HOLDS = 5;
const LIMITS = [100, 0, 30, Infinity, 1_000, 9_000_000_000_000_000];

/**
 * Plays a sequence of up to 12 commands on up to three balances at once.
 *
 * @param said Gets the commands in words.
 */
export function play(draw: Draw, said?: string[]): void {
  const world: World = {
    ...{ said, balances: [], holds: [], journal: [], model: [], sums: [] },
    limits: Array.from({ length: BALANCES }, () => LIMITS[draw(LIMITS.length)]!),
    extra: [0n, 0n, 0n],
  };
  said?.push(`limits ${world.limits.join(', ')}`);
  for (let i = 0; i < BALANCES; i += 1) {
    world.balances.push(emptyBalance());
    world.sums.push({ spent: 0n, held: 0n, uncertain: 0n, overrun: 0n, unpriced: 0n });
  }
  for (let left = 1 + draw(12); left > 0; left -= 1) {
    step(world, draw);
    check(world);
  }
  checkJournal(world);
  if (draw(4) === 0) checkOrders(world, draw);
  for (let i = 0; i < world.holds.length; i += 1) end(world, i, draw(3) === 0 ? 'void' : 'expire');
  check(world);
  for (const { held } of world.balances) claim(held === 0, 'I9: all holds have ended');
}

function step(world: World, draw: Draw): void {
  const { holds, model } = world;
  const any = holds.length === 0 ? 0 : draw(holds.length);
  const command = holds.length === 0 ? 0 : draw(11);
  if (command <= 2 && holds.length < MOST_HOLDS) return takeAny(world, draw);
  switch (command) {
    case 3:
      if (model[any]!.state === 'held') raiseIt(world, any, draw);
      return;
    case 4:
      return postIt(world, any, draw, false);
    case 5:
    case 6:
      return postIt(world, any, draw, true);
    case 7:
      return end(world, any, 'void');
    case 8:
      return end(world, any, 'expire');
    case 9:
      return adjustIt(world, draw);
    default:
      return draw(2) === 0 ? compact(world) : reread(world);
  }
}

function takeAny(world: World, draw: Draw): void {
  const { balances, limits, model, holds } = world;
  const mask = 1 + draw(7);
  const parts = [];
  const own: ModelHold = { state: 'held', parts: [] };
  for (let i = 0; i < BALANCES; i += 1) {
    if ((mask & (1 << i)) === 0) continue;
    const amount = amountOf(draw);
    parts.push({ balance: balances[i]!, limit: limits[i]!, amount });
    own.parts.push({ balance: i, open: BigInt(amount) });
  }
  const hold: Hold = { state: 'held', parts };
  world.said?.push(`take ${own.parts.map((part) => `${part.open} on ${part.balance}`).join(', ')}`);
  const refused = take(hold);
  const expected = own.parts.findIndex((part) => !hasRoom(world, part.balance, part.open));
  const found = refused === null ? -1 : parts.indexOf(refused as never);
  if (found !== expected) fail(`part ${expected} has no room, got ${found}`);
  for (const part of own.parts) checkRoom(world, part.balance, Number(part.open));
  if (refused !== null) return;
  for (const part of own.parts) enter(world, part.balance, 'held', part.open);
  holds.push(hold);
  model.push(own);
}

function raiseIt(world: World, i: number, draw: Draw): void {
  const own = world.model[i]!;
  const more = own.parts.map(() => amountOf(draw));
  world.said?.push(`raise ${i} by ${more.join(', ')}`);
  const refused = raise(world.holds[i]!, more);
  const expected = own.parts.findIndex(
    (part, j) => !hasRoom(world, part.balance, BigInt(more[j]!)),
  );
  const found = refused === null ? -1 : world.holds[i]!.parts.indexOf(refused);
  if (found !== expected) fail(`part ${expected} cannot be raised, got ${found}`);
  if (refused !== null) return;
  own.parts.forEach((part, j) => {
    part.open += BigInt(more[j]!);
    enter(world, part.balance, 'held', BigInt(more[j]!));
  });
}

function postIt(world: World, i: number, draw: Draw, ends: boolean): void {
  const own = world.model[i]!;
  // Mostly no more than what is held: the rest is what estimates get wrong.
  const within = draw(4) > 0;
  const charges = own.parts.map((part): Charge => {
    const bound = within ? Number(part.open) + 1 : 200;
    const nanoUsd = draw(bound);
    return { nanoUsd, uncertain: draw(3) === 0 ? draw(nanoUsd + 1) : 0, priced: draw(5) > 0 };
  });
  if (!ends && own.state !== 'held' && own.state !== 'expired') return;
  world.said?.push(`${ends ? 'settle' : 'post'} ${i}: ${JSON.stringify(charges)}`);
  if (!ends) post(world.holds[i]!, charges);
  else {
    const counts = own.state === 'held' || own.state === 'expired';
    claim(settle(world.holds[i]!, charges) === counts, 'I3: a hold is settled once');
    if (!counts) return;
  }
  own.parts.forEach((part, j) => {
    const { nanoUsd, uncertain, priced } = charges[j]!;
    const cost = BigInt(nanoUsd);
    const covered = own.state !== 'held' ? 0n : cost < part.open ? cost : part.open;
    part.open -= covered;
    enter(world, part.balance, 'held', -covered);
    enter(world, part.balance, 'spent', cost);
    enter(world, part.balance, 'uncertain', BigInt(uncertain));
    enter(world, part.balance, 'overrun', cost - covered);
    enter(world, part.balance, 'unpriced', priced ? 0n : 1n);
    world.extra[part.balance]! += cost - covered;
  });
  if (!ends) return;
  if (own.state === 'held') letGo(world, own);
  own.state = 'settled';
}

function end(world: World, i: number, how: 'void' | 'expire'): void {
  const own = world.model[i]!;
  world.said?.push(`${how} ${i}`);
  const ended = how === 'void' ? voidHold(world.holds[i]!) : expire(world.holds[i]!);
  claim(ended === (own.state === 'held'), 'I3: a hold ends once');
  if (!ended) return;
  letGo(world, own);
  own.state = how === 'void' ? 'voided' : 'expired';
}

function letGo(world: World, own: ModelHold): void {
  for (const part of own.parts) {
    enter(world, part.balance, 'held', -part.open);
    part.open = 0n;
  }
}

function adjustIt(world: World, draw: Draw): void {
  const balance = draw(BALANCES);
  const nano = draw(2) === 0 ? draw(50) : -draw(150);
  world.said?.push(`adjust ${balance} by ${nano}`);
  const before = { ...world.sums[balance]! };
  const added = adjust(world.balances[balance]!, nano);
  const spent = before.spent + BigInt(nano) < 0n ? 0n : before.spent + BigInt(nano);
  claim(BigInt(added) === spent - before.spent, 'an adjustment says what it has added');
  enter(world, balance, 'spent', spent - before.spent);
  for (const field of ['uncertain', 'overrun'] as const) {
    if (before[field] > spent) enter(world, balance, field, spent - before[field]);
  }
  if (nano > 0) world.extra[balance]! += BigInt(nano);
}

/** A journal may be replaced by what it sums up to. */
function compact(world: World): void {
  world.said?.push('compact');
  const opening: Entry[] = [];
  for (let balance = 0; balance < BALANCES; balance += 1) {
    const sums = fold(world.journal, balance);
    for (const field of FIELDS) opening.push({ balance, field, nano: sums[field] });
  }
  world.journal = opening;
}

/** The process ends, and another one goes on with what was written. */
function reread(world: World): void {
  world.said?.push('write and read');
  ({ balances: world.balances, holds: world.holds } = copyOf(world));
}

/** I6: the same settles in another order come to the same. */
function checkOrders(world: World, draw: Draw): void {
  const charges = world.holds.map(({ parts }) =>
    parts.map((): Charge => ({ nanoUsd: draw(60), uncertain: 0, priced: draw(4) > 0 })),
  );
  const [one, other] = [copyOf(world), copyOf(world)];
  one.holds.forEach((hold, i) => settle(hold, charges[i]!));
  for (let i = other.holds.length - 1; i >= 0; i -= 1) settle(other.holds[i]!, charges[i]!);
  const same = JSON.stringify(one.balances) === JSON.stringify(other.balances);
  claim(same, 'I6: the order of settles does not matter');
}

/** I7 and I10, of one balance and amount. */
function checkRoom(world: World, i: number, amount: number): void {
  const balance = world.balances[i]!;
  claim(!fits(balance, 0, amount), 'I7: nothing fits into a limit of 0');
  claim(fits(balance, Infinity, amount), 'I7: everything fits where there is no limit');
  const limit = world.limits[i]!;
  if (!fits(balance, limit, amount)) return;
  claim(fits(balance, limit + 1, amount), 'I10: a higher limit has room for it too');
  claim(amount === 1 || fits(balance, limit, amount - 1), 'I10: and for less');
}

/**
 * Mostly small next to the limits, so that they are met exactly; at least 1, as budgets hold; together
 * never beyond the safe integers.
 */
function amountOf(draw: Draw): number {
  const kind = draw(8);
  if (kind === 7) return 1 + draw(2 ** 30) * 500_000;
  return 1 + draw(kind < 4 ? 15 : 120);
}
