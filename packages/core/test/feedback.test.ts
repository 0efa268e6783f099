import { createFeedback, type FeedbackEvent } from '../src/feedback.js';
import { RARE } from '../src/cell.js';
import { FEEDBACK_ACTIONS, type CallRecord, type GivenFeedback } from '../src/record.js';
import { opinionsOf } from '../src/trackers/usage.js';
import { memoryStore } from '../src/stores/memory.js';
import type { Family } from '../src/stores/store.js';
import { callRecord, DAY, MINUTE, NOW, QUARTER, rigOf, type Rig } from './state-fixture.js';

let rig: Rig;
let told: GivenFeedback[];
let feedback: ReturnType<typeof createFeedback>;

beforeEach(() => {
  rig = rigOf();
  feedback = process();
});

/** What a process remembers, over the same store. */
function process() {
  told = [];
  const { ledger, health, store } = rig;
  return createFeedback({ ledger, health, store, tell: (given) => told.push(given) });
}

function call(overrides: Parameters<typeof callRecord>[0] = {}) {
  const record = callRecord({ at: rig.clock.now, ...overrides });
  rig.record(record);
  feedback.record(record);
  return record;
}

/** What people did, by the cells of one family in the bucket of `at`. */
async function counts(family: Family, at = NOW, bucketMs = MINUTE) {
  const from = Math.floor(at / bucketMs) * bucketMs;
  const query = { from, to: from + bucketMs, bucketMs, families: [family] };
  const cells = await rig.ledger.cells(query);
  return cells.map((cell) => ({
    key: cell.key.join(' '),
    calls: cell.sums[0],
    counts: opinionsOf(cell),
  }));
}

describe('feedback', () => {
  it('counts for the feature, model and user of the answer, once in every family', async () => {
    call({ messageId: 'msg_a' });
    expect(await feedback.add({ messageId: 'msg_a', action: 'accept' })).toBe(true);
    expect(await feedback.add({ messageId: 'msg_a', action: 'edit', userId: 'bob' })).toBe(true);
    const both = { calls: 1, counts: { accept: 1, reject: 0, edit: 1, retry: 0 } };
    expect(await counts('total')).toEqual([{ key: ' ', ...both }]);
    expect(await counts('feature-model')).toEqual([
      { key: 'summarise claude-sonnet-5-5', ...both },
    ]);
    expect(await counts('user-model')).toEqual([{ key: 'ada claude-sonnet-5-5', ...both }]);
    expect(await counts('user-feature')).toEqual([{ key: 'ada summarise', ...both }]);
  });

  it('belongs to the minute of its call, however late it comes', async () => {
    call({ messageId: 'msg_a' });
    rig.clock.now += 90 * MINUTE;
    await feedback.add({ messageId: 'msg_a', action: 'reject' });
    expect(await counts('total')).toMatchObject([{ calls: 1, counts: { reject: 1 } }]);
    expect(await counts('total', rig.clock.now)).toEqual([]);
  });

  it('finds a call by the id of its record, with a message or without', async () => {
    call({ id: 'call-7', messageId: null });
    call({ id: 'call-8', messageId: 'msg_8' });
    expect(await feedback.add({ callId: 'call-7', action: 'retry' })).toBe(true);
    expect(await feedback.add({ callId: 'call-8', action: 'retry' })).toBe(true);
  });

  it('counts for the model that a budget sent instead', async () => {
    const budget = { verdict: 'downgrade', sentModel: 'claude-haiku-5-5' } as never;
    call({ messageId: 'msg_a', budget });
    await feedback.add({ messageId: 'msg_a', action: 'accept' });
    expect(await counts('user-model')).toMatchObject([
      { key: 'ada claude-haiku-5-5', calls: 1, counts: { accept: 1 } },
    ]);
  });

  it('on a call that is not known is counted as dropped', async () => {
    expect(await feedback.add({ messageId: 'msg_unknown', action: 'accept' })).toBe(false);
    expect(await feedback.add({ callId: 'call-0', action: 'accept' })).toBe(false);
    expect(rig.health.report().dropped).toEqual({ 'feedback.unknownCall': 2 });
    expect(told).toEqual([]);
  });

  it('on a call older than anything kept is counted as dropped', async () => {
    call({ messageId: 'msg_a' });
    rig.clock.now += 31 * DAY;
    expect(await feedback.add({ messageId: 'msg_a', action: 'accept' })).toBe(false);
    expect(rig.health.report().dropped).toEqual({ 'feedback.tooOld': 1 });
    expect(told).toEqual([]);
  });

  it('remembers the last 20,000 calls by itself', async () => {
    for (let i = 0; i <= 20_000; i += 1) {
      feedback.record(callRecord({ id: `call-${i}`, messageId: `msg_${i}` }));
    }
    expect(await feedback.add({ messageId: 'msg_0', action: 'accept' })).toBe(false);
    expect(await feedback.add({ messageId: 'msg_1', action: 'accept' })).toBe(true);
  });

  it.each([
    [{ messageId: 'msg_a', action: 'like' }, 'action must be one of accept, reject, edit, retry'],
    [{ action: 'accept' }, 'give the messageId'],
    [{ messageId: 'm'.repeat(257), action: 'accept' }, 'of at most 256 characters'],
    [{ messageId: 'msg_a', action: 'accept', comment: 7 }, 'comment must be a string, got 7'],
    [{ messageId: 'msg_a', action: 'accept', score: NaN }, 'score must be a finite number'],
    [undefined, 'action must be one of'],
  ])('refuses %j in words', async (event, words) => {
    const given = feedback.add(event as FeedbackEvent);
    await expect(given).rejects.toThrow(TypeError);
    await expect(given).rejects.toThrow(words);
  });
});

describe('feedback of which the process remembers no call', () => {
  it('days later, in another process, counts for the feature and the day of the call', async () => {
    call({ messageId: 'msg_a', feature: 'translate' });
    await rig.ledger.flush();
    const later = process();
    rig.clock.now += 9 * DAY;
    expect(await later.add({ messageId: 'msg_a', action: 'accept' })).toBe(true);
    expect(await counts('feature-model', NOW, QUARTER)).toEqual([
      {
        key: 'translate claude-sonnet-5-5',
        ...{ calls: 1, counts: { accept: 1, reject: 0, edit: 0, retry: 0 } },
      },
    ]);
    expect(await counts('total', rig.clock.now, QUARTER)).toEqual([]);
    expect(rig.health.report().dropped).toEqual({});
  });

  it('asks the store once for each answer, and finds two events at once the same call', async () => {
    const record = callRecord({ messageId: 'msg_a' });
    let asked = 0;
    const findCall = async (): Promise<CallRecord> => ((asked += 1), record);
    const { ledger, health } = rig;
    feedback = createFeedback({ ledger, health, store: { findCall }, tell: () => undefined });
    await Promise.all([
      feedback.add({ messageId: 'msg_a', action: 'accept' }),
      feedback.add({ messageId: 'msg_a', action: 'reject' }),
    ]);
    await feedback.add({ messageId: 'msg_a', action: 'reject' });
    expect(asked).toBe(2);
    expect(await counts('total')).toMatchObject([{ counts: { accept: 0, reject: 1 } }]);
  });

  it('is counted as dropped while the store fails, and that as a fault', async () => {
    const findCall = () => Promise.reject(new Error('no store'));
    const { ledger, health } = rig;
    feedback = createFeedback({ ledger, health, store: { findCall }, tell: () => undefined });
    expect(await feedback.add({ messageId: 'msg_a', action: 'accept' })).toBe(false);
    const { dropped, faults } = health.report();
    expect(dropped).toEqual({ 'feedback.unknownCall': 1 });
    expect(faults['feedback.findCall']?.lastMessage).toContain('no store');
  });

  it('for more minutes than may wait for a store that fails is counted as dropped', async () => {
    const store = memoryStore();
    const failing = { ...store, merge: () => Promise.reject(new Error('full')) };
    rig = rigOf({ store: failing });
    feedback = process();
    rig.clock.now += 10 * DAY;
    for (let i = 0; i < 300; i += 1) {
      feedback.record(callRecord({ id: `c${i}`, messageId: `msg_${i}`, at: NOW + i * MINUTE }));
      await feedback.add({ messageId: `msg_${i}`, action: 'accept' });
    }
    const { dropped } = rig.health.report();
    // One bucket is on its way to the store all the time.
    expect(dropped['ledger.feedback']).toBeGreaterThanOrEqual(300 - 240 - 33);
    expect(dropped['ledger.calls']).toBeUndefined();
  });
});

describe('a person who changes their mind', () => {
  it.each(FEEDBACK_ACTIONS)('counts once, with the last action: %s', async (last) => {
    call({ messageId: 'msg_a' });
    for (const action of [...FEEDBACK_ACTIONS, last, last]) {
      expect(await feedback.add({ messageId: 'msg_a', action, userId: 'ada' })).toBe(true);
    }
    const none = { accept: 0, reject: 0, edit: 0, retry: 0 };
    for (const family of ['total', 'feature-model', 'user-model', 'user-feature'] as const) {
      expect(await counts(family)).toMatchObject([{ calls: 1, counts: { ...none, [last]: 1 } }]);
    }
  });

  it('is somebody else than another person, and is the user of the call when nobody is named', async () => {
    call({ messageId: 'msg_a' });
    await feedback.add({ messageId: 'msg_a', action: 'accept' });
    await feedback.add({ messageId: 'msg_a', action: 'reject', userId: 'bob' });
    await feedback.add({ messageId: 'msg_a', action: 'edit', userId: 'ada' });
    const expected = { accept: 0, reject: 1, edit: 1, retry: 0 };
    expect(await counts('total')).toMatchObject([{ counts: expected }]);
    expect(told.map(({ action, before, userId }) => [action, before, userId])).toEqual([
      ['accept', null, 'ada'],
      ['reject', null, 'bob'],
      ['edit', 'accept', 'ada'],
    ]);
  });

  it('only adds to cells: what is taken back is counted beside what was given', async () => {
    call({ messageId: 'msg_a' });
    await feedback.add({ messageId: 'msg_a', action: 'accept' });
    await rig.ledger.flush();
    rig.clock.now += 5 * MINUTE;
    await feedback.add({ messageId: 'msg_a', action: 'reject' });
    const query = { from: 0, to: NOW + DAY, bucketMs: QUARTER, families: ['total'] as const };
    const [cell] = await rig.ledger.cells(query);
    const slots = (from: number) => cell?.rare?.slice(from, from + FEEDBACK_ACTIONS.length);
    expect(slots(RARE.feedback)).toEqual([1, 1, 0, 0]);
    expect(slots(RARE.takenBack)).toEqual([1, 0, 0, 0]);
  });

  it('is remembered for the last 20,000 opinions, and then counts once more', async () => {
    for (let i = 0; i <= 20_000; i += 1) call({ id: `call-${i}`, messageId: `msg_${i}` });
    const say = (i: number, action: 'accept' | 'reject') =>
      feedback.add({ callId: `call-${i}`, messageId: `msg_${i}`, action });
    for (let i = 1; i <= 20_000; i += 1) await say(i, 'accept');
    await feedback.add({ callId: 'call-20000', action: 'accept', userId: 'one more' });
    await say(2, 'reject');
    await say(1, 'reject');
    const expected = { accept: 20_000, reject: 2 };
    expect(await counts('total')).toMatchObject([{ counts: expected }]);
  });
});

describe('a sink', () => {
  it('is handed what was said, with the comment, cut to 2,000 characters', async () => {
    call({ messageId: 'msg_a', id: 'call-1' });
    const comment = 'x'.repeat(3_000);
    await feedback.add({ messageId: 'msg_a', action: 'reject', comment, score: 2 });
    expect(told).toEqual([
      {
        ...{ callId: 'call-1', messageId: 'msg_a', callAt: NOW, action: 'reject', before: null },
        ...{ userId: 'ada', feature: 'summarise', model: 'claude-sonnet-5-5' },
        ...{ comment: 'x'.repeat(2_000), score: 2 },
      },
    ]);
  });

  it('is told again when somebody adds a comment to what they did', async () => {
    call({ messageId: 'msg_a' });
    await feedback.add({ messageId: 'msg_a', action: 'accept' });
    await feedback.add({ messageId: 'msg_a', action: 'accept', comment: 'thanks' });
    expect(told.map(({ before, comment }) => [before, comment])).toEqual([
      [null, null],
      ['accept', 'thanks'],
    ]);
    expect(await counts('total')).toMatchObject([{ counts: { accept: 1 } }]);
  });

  it('alone sees the comment: it is in no cell and in no call', async () => {
    call({ messageId: 'msg_a' });
    await feedback.add({ messageId: 'msg_a', action: 'reject', comment: 'CANARY' });
    const all = { from: 0, to: NOW + DAY, bucketMs: MINUTE };
    const families = ['total', 'feature-model', 'user-model', 'user-feature'] as const;
    const cells = await rig.ledger.cells({ ...all, families });
    const kept = JSON.stringify([cells, await rig.store.calls?.({}), rig.health.report()]);
    expect(kept).not.toContain('CANARY');
  });
});
