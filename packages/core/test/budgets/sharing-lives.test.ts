/**
 * Random lives of a few processes that share a limit: calls, endings, retries, clocks, processes that
 * are killed, and a store that fails before, after or without an answer. Whatever happens, what is
 * spent and leased never passes the limit, and everything counts once.
 */
import type { HeldTicket } from '../../src/budgets/tickets.js';
import { drawFrom, seed, sequencesOf, type Draw } from './draw.js';
import { ended, HOUR, usd, worstOf } from './engine.js';
import { startProcess, turns, type Process } from './fleet.js';
import { sharedMoney, type Fault, type SharedMoney } from './shared-money.js';

const WORST = worstOf();
const FAULTS: readonly Fault[] = ['before', 'after', 'hang', 'late'];
const lives = sequencesOf(60, 400);

interface Member {
  readonly process: Process;
  readonly tickets: HeldTicket[];
  /** What its calls have cost that have ended. */
  spent: number;
}

interface Life {
  readonly draw: Draw;
  readonly store: SharedMoney;
  readonly limit: number;
  readonly members: Member[];
  killed: number;
}

const pick = <T>(draw: Draw, from: readonly T[]): T => from[draw(from.length)]!;

async function join({ draw, store, limit, members }: Life): Promise<void> {
  const onStoreDown = pick(draw, ['lease', 'closed'] as const);
  const budgets = [
    { usd: usd(limit), per: 'day', onStoreDown },
    { usd: usd(limit), per: 'day', of: 'user', onStoreDown },
  ] as const;
  const process = await startProcess({ store, budgets, leaseMs: 30_000, storeTimeoutMs: 3 });
  process.clock.monotonic = store.now;
  members.push({ process, tickets: [], spent: 0 });
}

async function admit({ draw, members }: Life): Promise<void> {
  const calls = Array.from({ length: 1 + draw(6) }, async () => {
    const { process, tickets } = pick(draw, members);
    const answer = await process.admit({ userId: pick(draw, ['ada', 'bob']), patienceMs: HOUR });
    if (answer && !answer.error) tickets.push(answer as HeldTicket);
  });
  await Promise.all(calls);
}

function settle(draw: Draw, member: Member): void {
  const ticket = member.tickets.splice(draw(member.tickets.length), 1)[0];
  if (!ticket) return;
  const cost = draw(4) === 0 ? 0 : draw(WORST + 1);
  member.spent += cost + ticket.lost * WORST;
  member.process.budgets.settle(ticket, ended.priced(cost));
}

async function step(life: Life): Promise<void> {
  const { draw, store, members } = life;
  const member = pick(draw, members);
  switch (draw(10)) {
    case 0: {
      const fault = draw(2) === 0 ? null : pick(draw, FAULTS);
      store.fault = () => (draw(3) === 0 ? null : fault);
      return;
    }
    case 1: {
      const ms = pick(draw, [1_000, 12_000, 31_000]);
      store.now += ms;
      for (const { process } of members) process.clock.monotonic += ms;
      return;
    }
    case 2: {
      const [ticket] = member.tickets;
      if (ticket) await member.process.budgets.readmit(ticket);
      return;
    }
    case 3:
      if (draw(4) > 0 || members.length === 1) return join(life);
      life.killed += member.spent;
      members.splice(members.indexOf(member), 1);
      return;
    case 4:
      return member.process.tick();
    case 5:
      // And the next thing happens while it is on its way.
      return member.process.budgets.tick();
    case 6:
      return admit(life);
    case 7: {
      const ticket = member.tickets.pop();
      if (ticket) member.spent += ticket.lost * WORST;
      // Released calls are those that were never sent.
      if (ticket?.lost === 0) member.process.budgets.release(ticket);
      else if (ticket) member.process.budgets.settle(ticket, ended.free());
      return;
    }
    default:
      return settle(draw, member);
  }
}

async function play(draw: Draw): Promise<void> {
  const store = sharedMoney();
  const limit = WORST * (1 + draw(40)) + draw(WORST);
  const life: Life = { draw, store, limit, members: [], killed: 0 };
  let broken: unknown = null;
  const far = draw(4);
  store.distance = () => draw(far + 1);
  store.check = () => {
    for (const { spent, held, overrun } of store.money.values()) {
      // No lease expires while its calls can be under way, so nothing comes too late.
      if (held < 0 || overrun > 0 || spent + held > limit)
        broken ??= { spent, held, overrun, limit };
    }
  };
  await join(life);
  for (let left = 10 + draw(60); left > 0 && broken === null; left -= 1) await step(life);
  store.fault = () => null;
  for (const member of life.members) {
    while (member.tickets.length > 0) settle(draw, member);
    for (let i = 0; i < 3; i += 1) await member.process.tick();
    await new Promise((resolve) => setTimeout(resolve, 2));
    // A busy machine makes a store late that is not.
    for (let i = 0; i < 10; i += 1) await member.process.budgets.close();
  }
  // What came too late is over by now, and the leases of the killed have expired.
  await new Promise((resolve) => setTimeout(resolve, 25));
  store.now += 3 * HOUR;
  const [any] = store.money.values();
  const { from } = any?.address ?? { from: 0 };
  const { accounts } = await store.accounts({ budget: 'all-day', from, limit: 1 });
  expect(broken).toBeNull();
  const lived = life.members.reduce((sum, { spent }) => sum + spent, 0);
  const { spent, held } = accounts[0] ?? { spent: 0, held: 0 };
  expect(held).toBe(0);
  expect(spent).toBeGreaterThanOrEqual(lived);
  expect(spent).toBeLessThanOrEqual(lived + life.killed);
  await turns();
}

it(`${lives} lives of seed ${seed}`, async () => {
  for (let life = seed; life < seed + lives; life += 1) {
    try {
      expect(await play(drawFrom(life))).toBeUndefined();
    } catch (cause) {
      const again = `CLAUDE_METRICS_SEED=${life} CLAUDE_METRICS_SEQUENCES=1 repeats it`;
      throw new Error(again, { cause });
    }
  }
}, 600_000);
