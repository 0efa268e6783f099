/** The kill switch over several processes that share notes: at the latest look all say the same. */
import { createPauses } from '../../src/budgets/pauses.js';
import { createHealth } from '../../src/health.js';
import type { SharedNotes } from '../../src/stores/budget-store.js';
import { NOW } from '../state-fixture.js';

const NOTE = 'budgets/paused';

/** Notes that processes share; what they wait for is let go by hand when `held`. */
function createNotes() {
  const texts = new Map<string, string>();
  const state = { down: false, held: null as Promise<void> | null, puts: 0 };
  const notes: SharedNotes = {
    claim: () => true,
    async note(name) {
      const found = texts.get(name) ?? null;
      await state.held;
      if (state.down) throw new Error('the store is down');
      return found;
    },
    putNote(name, text) {
      state.puts += 1;
      texts.set(name, text!);
    },
  };
  return { notes, texts, state };
}

function processOver(notes: SharedNotes | undefined, ahead = 0) {
  const clock = { now: NOW + ahead };
  const health = createHealth();
  const pauses = createPauses({ now: () => (clock.now += 1), health, notes });
  const features = () => pauses.list().map(({ feature }) => feature);
  return { pauses, features, health, clock };
}

let shared: ReturnType<typeof createNotes>;
const open: ReturnType<typeof processOver>[] = [];
const start = (ahead?: number) => {
  const process = processOver(shared.notes, ahead);
  open.push(process);
  return process;
};
/** Twice, for those who looked before the others wrote. */
const shareAll = async () => {
  for (const { pauses } of [...open, ...open]) await pauses.share();
};

beforeEach(() => {
  shared = createNotes();
});
afterEach(async () => {
  for (const { pauses } of open.splice(0)) await pauses.close();
});

it('reaches the other processes, and those that start later, with its reason', async () => {
  const [ada, bob] = [start(), start()];
  ada.pauses.pause('chat', 'It answers nonsense.');
  expect(ada.features()).toEqual(['chat']);
  await shareAll();
  expect(bob.pauses.list()).toEqual(ada.pauses.list());
  const late = start();
  await late.pauses.share();
  expect(late.pauses.find('chat')).toMatchObject({ reason: 'It answers nonsense.' });
});

it('is resumed by any of them, also by one whose clock is behind', async () => {
  const [ada, bob] = [start(60_000), start()];
  ada.pauses.pause('chat', null);
  await shareAll();
  expect(bob.pauses.resume('chat')).toBe(true);
  expect(bob.pauses.resume('chat')).toBe(false);
  await shareAll();
  expect(ada.features()).toEqual([]);
  bob.pauses.pause('chat', null);
  await shareAll();
  expect(ada.features()).toEqual(['chat']);
});

it('loses nothing when two write at once', async () => {
  const [ada, bob] = [start(), start()];
  await shareAll();
  let letGo: () => void = () => undefined;
  shared.state.held = new Promise((resolve) => (letGo = resolve));
  ada.pauses.pause('chat', null);
  bob.pauses.pause('search', null);
  const both = Promise.all([ada.pauses.share(), bob.pauses.share()]);
  letGo();
  await both;
  shared.state.held = null;
  await shareAll();
  await shareAll();
  expect(new Set(ada.features())).toEqual(new Set(['chat', 'search']));
  expect(new Set(bob.features())).toEqual(new Set(['chat', 'search']));
});

it('tells what changed while it was being told', async () => {
  const [ada, bob] = [start(), start()];
  let letGo: () => void = () => undefined;
  shared.state.held = new Promise((resolve) => (letGo = resolve));
  const first = ada.pauses.share();
  await Promise.resolve();
  ada.pauses.pause('chat', null);
  letGo();
  await first;
  await ada.pauses.share();
  await bob.pauses.share();
  expect(bob.features()).toEqual(['chat']);
});

it('writes nothing when there is nothing new', async () => {
  const [ada] = [start(), start()];
  ada.pauses.pause('chat', null);
  await shareAll();
  await shareAll();
  expect(shared.state.puts).toBe(1);
});

it('works in its own process while the store is down, and tells of it later', async () => {
  const [ada, bob] = [start(), start()];
  shared.state.down = true;
  ada.pauses.pause('chat', null);
  await shareAll();
  expect([ada.features(), bob.features()]).toEqual([['chat'], []]);
  expect(ada.health.report().faults['budgets.pauses']?.lastMessage).toContain('the store is down');
  shared.state.down = false;
  await shareAll();
  expect(bob.features()).toEqual(['chat']);
});

it.each([
  ['no JSON', '{'],
  ['of a later version', '{"version":2,"entries":[]}'],
  ['something else', '"text"'],
])('leaves a note that is %s as it is, and counts it', async (_, text) => {
  shared.texts.set(NOTE, text);
  const ada = start();
  ada.pauses.pause('chat', null);
  await ada.pauses.share();
  expect(shared.texts.get(NOTE)).toBe(text);
  expect(ada.features()).toEqual(['chat']);
  expect(ada.health.report().faults['budgets.pauses']?.count).toBeGreaterThan(0);
});

it('leaves out what makes no sense in a note', async () => {
  const entries = [
    { feature: 'chat', reason: 5, since: NOW, until: null },
    { feature: 'a\u202Eb', reason: 'x'.repeat(9_000), since: NOW, until: null },
    ...[null, 7, {}, { feature: 'x', since: 'now', until: null }],
    ...[
      { feature: 'y', since: NaN, until: null },
      { feature: '', since: 1, until: null },
    ],
    { feature: 'z', since: 1, until: 1e300 },
  ];
  shared.texts.set(NOTE, JSON.stringify({ version: 1, entries }));
  const ada = start();
  await ada.pauses.share();
  expect(ada.features()).toEqual(['chat', 'a\uFFFDb']);
  expect(ada.pauses.list()[1]?.reason).toHaveLength(500);
});

it('keeps no more than a bound of what was resumed', async () => {
  const ada = start();
  for (let i = 0; i < 3_000; i += 1) {
    ada.pauses.pause(`feature-${i}`, null);
    ada.pauses.resume(`feature-${i}`);
  }
  await ada.pauses.share();
  const { entries } = JSON.parse(shared.texts.get(NOTE)!) as { entries: { feature: string }[] };
  expect(entries).toHaveLength(1_000);
  expect(entries.map(({ feature }) => feature)).toContain('feature-2999');
  const puts = shared.state.puts;
  await ada.pauses.share();
  expect(shared.state.puts).toBe(puts);
});

it('remembers for a month that a feature was resumed, for whoever wakes up late', async () => {
  const [ada, sleeper] = [start(), start()];
  ada.pauses.pause('chat', null);
  await shareAll();
  ada.pauses.resume('chat');
  await ada.pauses.share();
  ada.clock.now += 29 * 86_400_000;
  await ada.pauses.share();
  await sleeper.pauses.share();
  expect(sleeper.features()).toEqual([]);
  ada.clock.now += 2 * 86_400_000;
  await ada.pauses.share();
  ada.pauses.pause('search', null);
  await ada.pauses.share();
  expect(shared.texts.get(NOTE)).not.toContain('chat');
});

it('is alone without notes', async () => {
  const { pauses, features } = processOver(undefined);
  pauses.pause('chat', null);
  await pauses.share();
  expect(features()).toEqual(['chat']);
  await pauses.close();
});
