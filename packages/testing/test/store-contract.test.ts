/** The contract passes a store that is right, and tells each of these that are wrong. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as cell from '../../core/src/cell.js';
import { recordValue } from '../../core/src/sketch.js';
import { memoryStore } from '../../core/src/stores/memory.js';
import { storeContract, type ContractCase, type StoreSubject } from '../src/index.js';
import { pageOf } from './map-calls.js';
import { subjectWith, type Wrong } from './map-store.js';
import { ADDING } from './wrong-stores/adding.js';
import { ACCOUNTS } from './wrong-stores/accounts.js';
import { BUDGETS } from './wrong-stores/budgets.js';
import { CALLS } from './wrong-stores/calls.js';
import { FINDING } from './wrong-stores/finding.js';
import { FORGETTING } from './wrong-stores/forgetting.js';
import { LEASES } from './wrong-stores/leases.js';
import { KEEPING } from './wrong-stores/keeping.js';
import { NOTES } from './wrong-stores/notes.js';
import { READING } from './wrong-stores/reading.js';
import { TIME } from './wrong-stores/time.js';
import { VIEWS } from './wrong-stores/views.js';
import { posts } from './wrong-stores/wrong.js';

const WRONG = [
  ...[...ADDING, ...KEEPING, ...READING, ...TIME, ...CALLS, ...VIEWS, ...FORGETTING],
  ...FINDING,
  ...[...BUDGETS, ...LEASES, ...ACCOUNTS, ...NOTES],
];

describe('a store that is right', () => {
  it.each(storeContract(subjectWith()).cases)('$name', async ({ run }) => {
    await expect(run()).resolves.toBeUndefined();
  });
});

describe('it tells a store that', () => {
  it.each(WRONG)('%s', async (_, wrong, names) => {
    const { cases } = storeContract(subjectWith(wrong));
    for (const name of names) {
      const found = cases.filter((each) => name.test(each.name));
      expect(found.map((each) => each.name)).toHaveLength(1);
      await expect(found[0]?.run()).rejects.toMatchObject({ code: 'ERR_ASSERTION' });
    }
  });
});

const AsyncFunction = (async () => {}).constructor as new (
  ...parts: string[]
) => (...values: unknown[]) => Promise<unknown>;

describe('the page', () => {
  const page = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'testing.md'), 'utf8');
  const section = page.split('## The contract of a store')[1]?.split(/^## /m)[0] ?? '';

  it('has an example that runs', async () => {
    const code = /^```ts\n([^]*?)^```$/m.exec(section)?.[1]?.replace(/^import .*$/gm, '') ?? '';
    const told: string[] = [];
    let cases: readonly ContractCase[] = [];
    const it = {
      each: (given: typeof cases) => () => void (cases = given),
      todo: (name: string) => void told.push(name),
    };
    const names = { ...cell, it, memoryStore, recordValue, storeContract };
    await new AsyncFunction(...Object.keys(names), code)(...Object.values(names));
    expect(told).toEqual(
      ['close', 'budgets', 'notes', 'batches', 'durable', 'shared'].map(
        (name) => `cannot: ${name}`,
      ),
    );
    expect(cases.length).toBeGreaterThan(45);
    for (const { run } of cases.slice(0, 4)) await run();
  });

  it('names every part of a subject', () => {
    const rows = [...section.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
    const given = Object.keys({ ...subjectWith(), lacks: [], maxNames: 0 });
    expect(rows.sort()).toEqual(given.sort());
  });
});

describe('the cases', () => {
  const run = async (subject: StoreSubject, name: RegExp) => {
    await storeContract(subject)
      .cases.find((each) => name.test(each.name))
      ?.run();
  };

  it('are those about what the store can; what it cannot is told', () => {
    const all = storeContract(subjectWith());
    expect(all.missing).toEqual([]);
    const { cases, missing } = storeContract({
      ...subjectWith(),
      ...{ durable: false, shared: false, lacks: ['forgetUser', 'calls', 'budgets', 'notes'] },
    });
    expect(missing.join()).toBe('calls,forgetUser,budgets,notes,batches,durable,shared');
    const names = cases.map(({ name }) => name);
    const left = all.cases.map(({ name }) => name).filter((name) => !names.includes(name));
    expect(names).toEqual(expect.arrayContaining([expect.stringMatching(/^closing/)]));
    expect(names.join()).not.toMatch(
      /page|batch that|forg[eo]t|open(ing)? again|view|exchange|lease|account|note|claim/,
    );
    expect(left.length).toBeGreaterThan(25);
  });

  it('can fail, every one of them', () => {
    const names = storeContract(subjectWith()).cases.map(({ name }) => name);
    const failing = WRONG.flatMap(([, , cases]) => cases);
    expect(names.filter((name) => !failing.some((each) => each.test(name)))).toEqual([
      'has a name, and the optional methods and parts that its subject says',
    ]);
  });

  it('have names of their own', () => {
    const names = storeContract(subjectWith()).cases.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  it('tell a subject that hides what its store can, and one that promises more', async () => {
    const hides: StoreSubject = { ...subjectWith(), lacks: ['calls'] };
    const lacking = { wrap: () => ({ forgetUser: undefined }) } as object;
    for (const subject of [hides, subjectWith(lacking)]) {
      await expect(run(subject, /^has a name/)).rejects.toThrow(/methods, by subject.lacks/);
    }
    const notesOnly = { wrap: () => ({ budgets: undefined }) } as object;
    for (const subject of [
      { ...subjectWith(), lacks: ['notes'] as const },
      subjectWith(notesOnly),
    ]) {
      await expect(run(subject, /^has a name/)).rejects.toThrow(/optional parts, by subject.lacks/);
    }
  });

  it('tell a subject without the second view that it needs', async () => {
    const { open, ...subject } = subjectWith();
    const alone = { ...subject, open: async () => ({ ...(await open()), reopen: undefined }) };
    await expect(run(alone as never, /^what one view adds/)).rejects.toThrow(
      'subject.open(): expected a function reopen',
    );
  });

  it('tell a subject of budgets that does not say what an exchange does', async () => {
    const { core, ...subject } = subjectWith();
    const { applyExchange: _, ...rest } = core;
    const silent: StoreSubject = { ...subject, core: rest };
    await expect(run(silent, /^any exchanges of three/)).rejects.toThrow(
      'subject.core: expected applyExchange of core, as the store has budgets',
    );
  });

  it('close what they opened, whether they pass or not', async () => {
    for (const wrong of [{}, { parts: { add: () => {} } }]) {
      let opened = 0;
      let closed = 0;
      const { open, ...subject } = subjectWith(wrong);
      const counting: StoreSubject = {
        ...subject,
        async open(options) {
          opened += 1;
          return { ...(await open(options)), close: async () => void (closed += 1) };
        },
      };
      await run(counting, /^adds to what it has/).catch(() => undefined);
      expect([opened > 0, closed]).toEqual([true, opened]);
    }
  });

  it.each([
    [
      /^counts every rare slot/,
      { parts: { add: () => {} } },
      'a cell for each rare slot, added to one: 34 differences in the reading of 1 cells\n' +
        '  total ["",""] at 2026-11-24T14:00:00.000Z of 60000 ms: rare[1]: expected 2, the store gave 0\n',
    ],
    [
      /^refuses a limit/,
      { wrap: () => ({ calls: async () => ({ calls: [] }) }) } as object,
      'limit 0: expected a QueryError with status 400, the store gave an answer',
    ],
    [
      /^gives records that are equal/,
      pagesWith({ stopReason: null }),
      'record call-1000 at .stopReason: expected "end_turn", the store gave null',
    ],
    [
      /^10,000 users/,
      { parts: { lightest: () => new Set<string>() } },
      '10000 users in user-model: expected 2000 names at most, the store gave 10000',
    ],
    [
      /^postings add up/,
      posts(() => ({ unpriced: 0 })),
      'two postings of one exchange at .accounts[0].unpriced: expected 1, the store gave 0',
    ],
    [
      /^leases of a silent member/,
      { money: { isOverdue: () => false } },
      'a lease of 40 on one account and 2 on another: expected that it is over after 50 ms, but it is not',
    ],
  ])('say what was expected and what the store gave: %s', async (name, wrong, message) => {
    await expect(run(subjectWith(wrong), name)).rejects.toThrow(message);
  });
});

function pagesWith(patch: object): Wrong {
  return {
    wrap: (_, data) => ({
      calls(query) {
        const page = pageOf(data, query, 100);
        return { ...page, calls: page.calls.map((call) => Object.freeze({ ...call, ...patch })) };
      },
    }),
  };
}
