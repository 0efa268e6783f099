/**
 * Several real processes spend one limit through one file. Some are killed; what they have said is not
 * lost, and what they held comes back.
 */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { NOW } from '../state-fixture.js';
import { accountOf, TTL, WHOLE } from './budgets-fixture.js';
import { handClock } from './hand-clock.js';
import { cleanUp, drivers, freshFile, programsOf, storeAt } from './sqlite-fixture.js';
import type { Exchange } from '../../src/stores/budget-store.js';

afterAll(cleanUp);

const LIMIT = 200_000;
const EXCHANGES = 250;

/**
 * Says every exchange before it sends it. Each posts some of what it holds, but for the last 100, and
 * wants more. They wait for each other after the first one.
 */
const MEMBER = `
  const [file, member, seed, most] = args;
  const clock = { now: () => ${NOW}, monotonic: () => 0 };
  const { budgets, notes } = core.sqliteStore({ file, driver, clock, lockTimeoutMs: 60_000 });
  const others = async () => {
    await notes.putNote(member, 'ready');
    for (const i of [0, 1, 2, 3]) {
      while ((await notes.note('member-' + i)) === null) await new Promise((go) => setTimeout(go, 5));
    }
  };
  let [random, leased] = [Number(seed), 0];
  const below = (most) => (random = (random * 48_271) % 2_147_483_647) % most;
  for (let number = 1; number <= Number(most); number += 1) {
    const free = Math.max(leased - 100, 0);
    const nanoUsd = below(free + 1);
    const gifts = [{ account: 0, amount: below(free - nanoUsd + 1) % 20 }];
    const exchange = {
      member, number, ttlMs: ${TTL}, accounts: [${JSON.stringify(accountOf())}],
      postings: [{ account: 0, nanoUsd, leased: nanoUsd, uncertain: 0, overrun: 0, unpriced: 0, refused: 0 }],
      adjustments: [], gifts,
      takings: [[{ account: 0, limit: ${LIMIT}, need: 100 + below(900), wish: below(2_000) }]],
    };
    console.log(JSON.stringify({ exchange }));
    const { accounts: [account] } = await budgets.exchange(exchange);
    leased = account.leased;
    if (number === 1) await others();
    console.log(JSON.stringify({ account }));
  }`;

interface Account {
  readonly spent: number;
  readonly held: number;
  readonly leased: number;
  readonly overrun: number;
}

describe.each(drivers)('over %s', (driver) => {
  const run = programsOf(driver);

  /** What a process has said, until it ended or was killed in the exchange with that number. */
  async function play(file: string, i: number, killAt: number) {
    const most = killAt === Infinity ? EXCHANGES : Infinity;
    const child = run(MEMBER, file, `member-${i}`, String(1_000 + i), String(most));
    const exited = once(child, 'exit');
    const said: Exchange[] = [];
    const told: Account[] = [];
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text) as { exchange?: Exchange; account?: Account };
      if (line.account) told.push(line.account);
      if (!line.exchange) continue;
      said.push(line.exchange);
      if (line.exchange.number === killAt) child.kill('SIGKILL');
    }
    return { said, told, exit: (await exited) as [number | null, string | null] };
  }

  it('four that exchange at once never pass the limit, and lose nothing when killed', async () => {
    const file = freshFile();
    const clock = handClock();
    const { budgets } = storeAt(file, { driver, clock, lockTimeoutMs: 60_000 });
    const killed = [Infinity, 40, Infinity, 90];
    const members = await Promise.all(killed.map((killAt, i) => play(file, i, killAt)));
    const exits = members.map(({ exit }) => exit.join());
    expect(exits).toEqual(['0,', ',SIGKILL', '0,', ',SIGKILL']);
    const told = members.flatMap((member) => member.told);
    expect(told.length).toBeGreaterThan(2 * EXCHANGES);
    expect(told.filter(({ spent, held }) => spent + held > LIMIT)).toEqual([]);
    // Whoever was killed may have sent what it said last, or not: it comes again, and counts once.
    const held: number[] = [];
    for (const { said } of members) {
      const { accounts } = await budgets.exchange(said.at(-1)!);
      held.push(accounts[0]!.leased);
    }
    const posted = members.flatMap(({ said }) => said).flatMap(({ postings }) => postings);
    const spent = posted.reduce((sum, { nanoUsd }) => sum + nanoUsd, 0);
    const [account] = (await budgets.accounts(WHOLE)).accounts;
    const sum = held.reduce((all, each) => all + each, 0);
    expect(account).toMatchObject({ scope: null, spent, held: sum, overrun: 0 });
    expect(Math.min(...held)).toBeGreaterThanOrEqual(100);
    clock.pass(TTL);
    const [after] = (await budgets.accounts(WHOLE)).accounts;
    expect(after).toMatchObject({ spent, held: 0 });
  });
});
