import { createFeedback, type FeedbackEvent } from '../src/feedback.js';
import { RARE } from '../src/cell.js';
import { FEEDBACK_ACTIONS } from '../src/record.js';
import type { Family } from '../src/stores/store.js';
import { callRecord, DAY, MINUTE, NOW, rigOf, type Rig } from './state-fixture.js';

let rig: Rig;
let feedback: ReturnType<typeof createFeedback>;

beforeEach(() => {
  rig = rigOf();
  feedback = createFeedback(rig.ledger, rig.health);
});

function call(overrides: Parameters<typeof callRecord>[0] = {}) {
  const record = callRecord({ at: rig.clock.now, ...overrides });
  rig.record(record);
  feedback.record(record);
  return record;
}

/** What people did, by the cells of one family in the minute of `at`. */
async function counts(family: Family, at = NOW) {
  const from = Math.floor(at / MINUTE) * MINUTE;
  const query = { from, to: from + MINUTE, bucketMs: MINUTE, families: [family] };
  const cells = await rig.ledger.cells(query);
  return cells.map(({ key, sums, rare }) => ({
    key: key.join(' '),
    calls: sums[0],
    counts: Object.fromEntries(
      FEEDBACK_ACTIONS.map((action, i) => [action, rare?.[RARE.feedback + i] ?? 0]),
    ),
  }));
}

describe('feedback', () => {
  it('counts for the feature, model and user of the answer, once in every family', async () => {
    call({ messageId: 'msg_a' });
    expect(feedback.add({ messageId: 'msg_a', action: 'accept' })).toBe(true);
    expect(feedback.add({ messageId: 'msg_a', action: 'edit' })).toBe(true);
    const told = { calls: 1, counts: { accept: 1, reject: 0, edit: 1, retry: 0 } };
    expect(await counts('total')).toEqual([{ key: ' ', ...told }]);
    expect(await counts('feature-model')).toEqual([
      { key: 'summarise claude-sonnet-5-5', ...told },
    ]);
    expect(await counts('user-model')).toEqual([{ key: 'ada claude-sonnet-5-5', ...told }]);
    expect(await counts('user-feature')).toEqual([{ key: 'ada summarise', ...told }]);
  });

  it('belongs to the minute of its call, however late it comes', async () => {
    call({ messageId: 'msg_a' });
    rig.clock.now += 90 * MINUTE;
    feedback.add({ messageId: 'msg_a', action: 'reject' });
    expect(await counts('total')).toMatchObject([{ calls: 1, counts: { reject: 1 } }]);
    expect(await counts('total', rig.clock.now)).toEqual([]);
  });

  it('finds a call without a message by the id of its record', () => {
    call({ id: 'call-7', messageId: null });
    expect(feedback.add({ callId: 'call-7', action: 'retry' })).toBe(true);
  });

  it('counts for the model that a budget sent instead', async () => {
    const budget = { verdict: 'downgrade', sentModel: 'claude-haiku-5-5' } as never;
    call({ messageId: 'msg_a', budget });
    feedback.add({ messageId: 'msg_a', action: 'accept' });
    expect(await counts('user-model')).toMatchObject([
      { key: 'ada claude-haiku-5-5', calls: 1, counts: { accept: 1 } },
    ]);
  });

  it('on a call that is not known is counted as dropped', () => {
    expect(feedback.add({ messageId: 'msg_unknown', action: 'accept' })).toBe(false);
    expect(rig.health.report().dropped).toEqual({ 'feedback.unknownCall': 1 });
  });

  it('on a call older than anything kept is counted as dropped', () => {
    call({ messageId: 'msg_a' });
    rig.clock.now += 31 * DAY;
    feedback.add({ messageId: 'msg_a', action: 'accept' });
    expect(rig.health.report().dropped).toEqual({ 'ledger.tooOld': 1 });
  });

  it('remembers the last 20,000 calls', () => {
    for (let i = 0; i <= 20_000; i += 1) feedback.record(callRecord({ messageId: `msg_${i}` }));
    expect(feedback.add({ messageId: 'msg_0', action: 'accept' })).toBe(false);
    expect(feedback.add({ messageId: 'msg_1', action: 'accept' })).toBe(true);
  });

  it.each([
    [{ messageId: 'msg_a', action: 'like' }, 'action must be one of accept, reject, edit, retry'],
    [{ action: 'accept' }, 'give the messageId'],
    [undefined, 'action must be one of'],
  ])('refuses %j in words', (event, words) => {
    expect(() => feedback.add(event as FeedbackEvent)).toThrow(TypeError);
    expect(() => feedback.add(event as FeedbackEvent)).toThrow(words);
  });
});
