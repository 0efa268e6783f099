import fc from 'fast-check';
import type { AlertMessage } from '../../src/alert.js';
import { message, rig, settled } from './fixture.js';

/** What holds for a queue whatever comes, fails and hangs, in whatever order. */

const ALERTS = ['a', 'b', 'c'] as const;

/** One thing that happens: an alert moves on, or time does. */
const event = fc.oneof(
  { weight: 3, arbitrary: fc.record({ alert: fc.constantFrom(...ALERTS) }) },
  { weight: 1, arbitrary: fc.record({ ms: fc.constantFrom(1, 1_000, 5_000, 60_000) }) },
);

const outcome = fc.constantFrom('ok', 'fails', 'fails for good', 'hangs');

describe('a queue', () => {
  it('loses no count, keeps the order, and never tells the end of what it did not tell', async () => {
    const run = fc.asyncProperty(
      fc.array(event, { maxLength: 60 }),
      fc.array(outcome, { maxLength: 60 }),
      fc.integer({ min: 1, max: 4 }),
      async (events, outcomes, queue) => {
        const left = [...outcomes];
        const tried: AlertMessage[] = [];
        const send = (each: AlertMessage): Promise<void> | void => {
          tried.push(each);
          const next = left.shift() ?? 'ok';
          if (next === 'hangs') return new Promise(() => undefined);
          if (next !== 'ok') throw Object.assign(new Error('boom'), { retry: next === 'fails' });
        };
        const { delivery, timers, report } = rig([{ name: 'test', send }], { queue, retries: 2 });
        const pushed: AlertMessage[] = [];
        const steps = new Map<string, number>();
        for (const each of events) {
          if ('ms' in each) {
            await timers.advance(each.ms);
            continue;
          }
          const step = steps.get(each.alert) ?? 0;
          steps.set(each.alert, step + 1);
          const type = (['firing', 'reminder', 'resolved'] as const)[step % 3] ?? 'firing';
          const id = String(pushed.length);
          pushed.push(message({ id, type, alert: { id: each.alert } }));
          delivery.push(pushed.at(-1) ?? message());
          if (step % 2 === 0) await settled();
        }
        const counted = ({ sent, failed, dropped, queued } = report()) =>
          sent + failed + dropped + queued;
        expect(counted()).toBe(pushed.length);
        expect(report().queued).toBeLessThanOrEqual(queue + 1);

        const closed = delivery.close(60_000);
        await timers.advance(60_000);
        await closed;
        expect(report().queued).toBe(0);
        expect(counted()).toBe(pushed.length);
        expect(timers.pending()).toEqual([]);

        const order = tried.map(({ id }) => Number(id));
        expect(order).toEqual([...order].sort((one, other) => one - other));
        for (const end of tried.filter(({ type }) => type === 'resolved')) {
          // The beginning of the same time that it fired: the last one before this end.
          const before = pushed.slice(0, Number(end.id)).filter((each) => isOf(each, end));
          const from = before.findLastIndex(({ type }) => type === 'firing');
          const ids = before.slice(from).map(({ id }) => id);
          expect(tried.some(({ id }) => ids.includes(id))).toBe(true);
        }
      },
    );
    await fc.assert(run, { numRuns: 200 });
  });
});

function isOf(one: AlertMessage, other: AlertMessage): boolean {
  return one.alert.id === other.alert.id;
}
