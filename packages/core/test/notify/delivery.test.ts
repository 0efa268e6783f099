import type { AlertMessage, Channel } from '../../src/alert.js';
import { createHealth } from '../../src/health.js';
import { createDelivery } from '../../src/notify/delivery.js';
import { message, messages, rig, settled } from './fixture.js';

/** How messages come to channels that work, and what becomes of those that do not. */

function channelOf(send: Channel['send'], more: Partial<Channel> = {}): Channel {
  return { name: 'test', send, ...more };
}

/** Keeps what it was sent. */
function inbox(name = 'inbox'): Channel & { readonly ids: string[] } {
  const ids: string[] = [];
  return { name, ids, send: ({ id }) => void ids.push(id) };
}

const never = () => new Promise<void>(() => undefined);

describe('a channel that works', () => {
  it('gets every message once, in order, one at a time', async () => {
    const seen: string[] = [];
    let inside = 0;
    let most = 0;
    const slow = channelOf(async ({ id }) => {
      inside += 1;
      most = Math.max(most, inside);
      await settled();
      inside -= 1;
      seen.push(id);
    });
    const { delivery, report } = rig([slow]);
    for (const each of messages(5)) delivery.push(each);
    expect(report()).toMatchObject({ sent: 0, queued: 5 });
    await delivery.close(1_000);
    expect(seen).toEqual(['msg_1', 'msg_2', 'msg_3', 'msg_4', 'msg_5']);
    expect(most).toBe(1);
    const good = { name: 'test', sent: 5, failed: 0, dropped: 0, queued: 0, lastError: null };
    expect(report()).toEqual(good);
  });

  it('leaves no timer behind', async () => {
    const { delivery, timers } = rig([inbox()]);
    delivery.push(message());
    await settled();
    expect(timers.pending()).toEqual([]);
  });

  it('gets what is severe enough for it, with its end', async () => {
    const pager = { ...inbox('pager'), minSeverity: 'critical' as const };
    const chat = { ...inbox('chat'), minSeverity: 'warning' as const };
    const all = inbox('all');
    const { delivery } = rig([pager, chat, all]);
    for (const severity of ['info', 'warning', 'critical'] as const) {
      for (const type of ['firing', 'resolved'] as const) {
        delivery.push(message({ id: `${severity}-${type}`, type, alert: { severity } }));
      }
    }
    await settled();
    expect(pager.ids).toEqual(['critical-firing', 'critical-resolved']);
    expect(chat.ids).toHaveLength(4);
    expect(all.ids).toHaveLength(6);
  });
});

describe('a channel that fails', () => {
  it('is tried again, each time after a longer pause, and then given up', async () => {
    let tries = 0;
    const broken = channelOf(() => {
      tries += 1;
      throw new Error('boom');
    });
    const { delivery, timers, report, health } = rig([broken], { retries: 8 });
    delivery.push(message());
    await settled();
    const pauses: number[] = [];
    while (timers.pending().length > 0) {
      const [pause = 0] = timers.pending();
      pauses.push(pause);
      await timers.advance(pause);
    }
    const seconds = pauses.map((ms) => ms / 1_000);
    expect(seconds).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(tries).toBe(9);
    expect(report()).toMatchObject({ sent: 0, failed: 1, queued: 0 });
    expect(health.report().faults['alerts.test']?.count).toBe(1);
  });

  it('spreads its pauses over the whole range', async () => {
    const draws = [0.25, 0.1, 0.5];
    const broken = channelOf(() => Promise.reject(new Error('boom')));
    const random = () => draws.shift() ?? 1;
    const { delivery, timers } = rig([broken], { retries: 3, random });
    delivery.push(message());
    await settled();
    expect(timers.pending()).toEqual([250]);
    await timers.advance(250);
    expect(timers.pending()).toEqual([200]);
    await timers.advance(200);
    expect(timers.pending()).toEqual([2_000]);
  });

  it('goes on with what waited once it works again, and says so', async () => {
    const outcomes = [new Error('Internal server error'), null, null];
    const seen: string[] = [];
    const flaky = channelOf(({ id }) => {
      const outcome = outcomes.shift();
      if (outcome) throw outcome;
      seen.push(id);
    });
    const { delivery, timers, report, health } = rig([flaky]);
    for (const each of messages(2)) delivery.push(each);
    await settled();
    expect(report()).toMatchObject({ sent: 0, queued: 2, lastError: 'Internal server error' });
    await timers.advance(1_000);
    expect(seen).toEqual(['msg_1', 'msg_2']);
    expect(report()).toMatchObject({ sent: 2, failed: 0, queued: 0, lastError: null });
    expect(health.report().ok).toBe(true);
  });

  it.each([
    [90_000, 90_000],
    [3_600_000, 600_000],
    [10, 1_000],
    [Number.NaN, 1_000],
    [-5, 1_000],
    [Infinity, 600_000],
  ])('that asks for %d ms is tried again after %d', async (retryAfterMs, expected) => {
    const busy = channelOf(() =>
      Promise.reject(Object.assign(new Error('busy'), { retryAfterMs })),
    );
    const { delivery, timers } = rig([busy]);
    delivery.push(message());
    await settled();
    expect(timers.pending()).toEqual([expected]);
  });

  it('for good is not tried again', async () => {
    const gone = channelOf(() =>
      Promise.reject(Object.assign(new Error('gone'), { retry: false })),
    );
    const { delivery, timers, report } = rig([gone]);
    delivery.push(message());
    await settled();
    expect(report()).toMatchObject({ failed: 1, queued: 0 });
    expect(timers.pending()).toEqual([]);
  });

  it('tells nothing of its error that could be a secret', async () => {
    const url = 'https://hooks.slack.com/services/T0/B0/s3cr3t';
    const broken = channelOf(() => {
      throw Object.assign(new TypeError(`fetch failed for ${url}`), {
        code: 'ECONNREFUSED',
        retry: false,
        config: { url },
      });
    });
    const { delivery, report, health, told } = rig([broken]);
    delivery.push(message());
    await settled();
    expect(report().lastError).toBe('ECONNREFUSED: fetch failed for …');
    expect(JSON.stringify([report(), health.report()])).not.toContain('s3cr3t');
    expect(told).toHaveLength(1);
    expect(JSON.stringify(told[0], Object.getOwnPropertyNames(told[0]))).not.toContain('s3cr3t');
  });

  it.each([
    ['', 'an error whose text is not shown'],
    ['Müllers Schlüssel', 'an error whose text is not shown'],
    ['Request timed out.\nsk-ant-1', 'Request timed out. …'],
  ])('shows of %j: %s', async (text, shown) => {
    const broken = channelOf(() => Promise.reject(new Error(text)));
    const { delivery, report } = rig([broken]);
    delivery.push(message());
    await settled();
    expect(report().lastError).toBe(shown);
  });

  it.each([
    ['undefined', undefined],
    ['null', null],
    ['text', 'Internal server error'],
    [
      'an object whose fields throw',
      new Proxy(
        {},
        {
          get() {
            throw new Error('no');
          },
        },
      ),
    ],
  ])('with %s is a failure like any other', async (_what, thrown) => {
    const odd = channelOf(() => {
      throw thrown;
    });
    const { delivery, report } = rig([odd], { retries: 0 });
    delivery.push(message());
    await settled();
    expect(report()).toMatchObject({ failed: 1, queued: 0, lastError: expect.any(String) });
  });
});

describe('a channel that hangs', () => {
  it('is told to stop, given up after its time, and tried again', async () => {
    const signals: AbortSignal[] = [];
    const hung = channelOf((_message, signal) => {
      signals.push(signal);
      return never();
    });
    const { delivery, timers, report } = rig([hung], { retries: 1 });
    for (const each of messages(2)) delivery.push(each);
    await settled();
    await timers.advance(4_999);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    await timers.advance(1);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(report().lastError).toBe('no answer within 5000 ms');
    await timers.advance(6_000);
    expect(report()).toMatchObject({ failed: 1, queued: 1 });
    expect(signals).toHaveLength(3);
  });

  it('counts a late answer for nothing', async () => {
    let answer = (): void => undefined;
    const late = channelOf(() => new Promise<void>((resolve) => (answer = resolve)));
    const { delivery, timers, report } = rig([late], { retries: 0 });
    delivery.push(message());
    await settled();
    await timers.advance(5_000);
    answer();
    await settled();
    expect(report()).toMatchObject({ sent: 0, failed: 1 });
  });

  it('is not called any more while a hundred of its tries hang, and again when they end', async () => {
    const ends: (() => void)[] = [];
    const hung = channelOf(() => new Promise<void>((resolve) => ends.push(resolve)));
    const { delivery, timers, report } = rig([hung], { retries: 0, queue: 200 });
    for (const each of messages(150)) delivery.push(each);
    await settled();
    await timers.advance(150 * 5_000);
    expect(ends).toHaveLength(100);
    expect(report()).toMatchObject({ failed: 150, lastError: '100 tries have not ended' });
    ends.forEach((end) => end());
    await settled();
    delivery.push(message());
    await settled();
    expect(ends).toHaveLength(101);
  });
});

describe('the queue of a channel', () => {
  it('keeps the last, drops the oldest and counts what it drops', async () => {
    const hung = channelOf(never);
    const { delivery, report, health } = rig([hung], { queue: 3 });
    for (const each of messages(10)) delivery.push(each);
    await settled();
    expect(report()).toMatchObject({ queued: 4, dropped: 6 });
    expect(health.report().dropped['alerts.test']).toBe(6);
  });

  it('stays bounded in front of a dead channel, while others get everything at once', async () => {
    const dead = channelOf(never, { name: 'dead' });
    const broken = channelOf(() => Promise.reject(new Error('boom')), { name: 'broken' });
    const good = inbox();
    const { delivery, report, timers } = rig([dead, broken, good]);
    for (const each of messages(1_000)) {
      delivery.push(each);
      await settled();
    }
    expect(good.ids).toHaveLength(1_000);
    expect(report('dead')).toMatchObject({ queued: 101, dropped: 899 });
    expect(report('broken')).toMatchObject({ queued: 101, dropped: 899 });
    // One for the try that hangs, one for the pause: nothing per message.
    expect(timers.pending()).toHaveLength(2);
  });

  it('does not tell the end of an alert whose beginning it dropped', async () => {
    const seen: string[] = [];
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const slow = channelOf(async ({ id }) => {
      await gate;
      seen.push(id);
    });
    const { delivery, report } = rig([slow], { queue: 3 });
    const push = (id: string, type: AlertMessage['type'], alert: string) =>
      delivery.push(message({ id, type, alert: { id: alert } }));
    push('other', 'firing', 'other');
    push('a1', 'firing', 'a');
    push('b1', 'firing', 'b');
    push('a2', 'resolved', 'a');
    push('b2', 'reminder', 'b');
    push('b3', 'resolved', 'b');
    // `a1` and `b1` are dropped: of `a` nothing is left to tell, of `b` there is the reminder.
    release();
    await delivery.close(1_000);
    expect(seen).toEqual(['other', 'b2', 'b3']);
    expect(report()).toMatchObject({ sent: 3, dropped: 3 });
  });

  it('tells an alert that fires again after its beginning was dropped', async () => {
    const seen: string[] = [];
    const outcomes = [never(), Promise.resolve(), Promise.resolve(), Promise.resolve()];
    const channel = channelOf(({ id }) => {
      seen.push(id);
      return outcomes.shift();
    });
    const { delivery, timers } = rig([channel], { queue: 1, retries: 0 });
    delivery.push(message({ id: 'other', alert: { id: 'other' } }));
    delivery.push(message({ id: 'a1', alert: { id: 'a' } }));
    delivery.push(message({ id: 'a2', type: 'resolved', alert: { id: 'a' } }));
    await timers.advance(5_000);
    delivery.push(message({ id: 'a3', alert: { id: 'a' } }));
    await settled();
    delivery.push(message({ id: 'a4', type: 'resolved', alert: { id: 'a' } }));
    await settled();
    expect(seen).toEqual(['other', 'a3', 'a4']);
  });

  it('remembers a thousand beginnings that it dropped, and then the latest thousand', async () => {
    const seen: string[] = [];
    const first = [never()];
    const channel = channelOf(({ id }) => {
      seen.push(id);
      return first.shift();
    });
    const { delivery, timers } = rig([channel], { queue: 2, retries: 0 });
    for (let i = 0; i <= 1_003; i += 1) {
      delivery.push(message({ id: `begin ${i}`, alert: { id: String(i) } }));
    }
    await timers.advance(5_000);
    // Dropped were 1 to 1,001; the last two were sent, and the first was under way.
    for (const i of [1, 2, 1_001, 1_003]) {
      delivery.push(message({ id: `end ${i}`, type: 'resolved', alert: { id: String(i) } }));
      await settled();
    }
    expect(seen).toEqual(['begin 0', 'begin 1002', 'begin 1003', 'end 1', 'end 1003']);
  });

  it('still tells the end of an alert whose beginning failed: it may have been heard', async () => {
    const types: string[] = [];
    const channel = channelOf(({ type }) => {
      types.push(type);
      if (type === 'firing') throw new Error('boom');
    });
    const { delivery } = rig([channel], { retries: 0 });
    delivery.push(message());
    delivery.push(message({ type: 'resolved' }));
    await settled();
    expect(types).toEqual(['firing', 'resolved']);
  });
});

describe('closing', () => {
  it('tries once more what waits for a pause, and once each what is queued', async () => {
    const seen: string[] = [];
    const broken = channelOf(({ id }) => {
      seen.push(id);
      throw new Error('boom');
    });
    const { delivery, timers, report } = rig([broken]);
    for (const each of messages(3)) delivery.push(each);
    await settled();
    expect(seen).toEqual(['msg_1']);
    await delivery.close(1_000);
    expect(seen).toEqual(['msg_1', 'msg_1', 'msg_2', 'msg_3']);
    expect(report()).toMatchObject({ failed: 3, dropped: 0, queued: 0 });
    expect(timers.pending()).toEqual([]);
  });

  it('ends when its time is up, and counts what it left', async () => {
    const signals: AbortSignal[] = [];
    const hung = channelOf((_message, signal) => {
      signals.push(signal);
      return never();
    });
    const { delivery, timers, report } = rig([hung]);
    for (const each of messages(3)) delivery.push(each);
    await settled();
    const closed = delivery.close(2_000);
    // The only timer that keeps the process alive.
    expect(timers.holding()).toEqual([2_000]);
    await timers.advance(2_000);
    await closed;
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    const left = { failed: 1, dropped: 2, queued: 0, lastError: 'closed before it was sent' };
    expect(report()).toMatchObject(left);
    expect(timers.pending()).toEqual([]);
  });

  it('takes nothing afterwards, and can be asked for twice', async () => {
    const good = inbox();
    const { delivery, report } = rig([good]);
    await Promise.all([delivery.close(1_000), delivery.close(1_000)]);
    delivery.push(message());
    await settled();
    expect(good.ids).toEqual([]);
    expect(report()).toMatchObject({ sent: 0, dropped: 1, queued: 0 });
  });
});

describe('options', () => {
  const health = createHealth();
  const good = inbox();

  it.each([
    [{ channels: good }, 'options.channels must be an array'],
    [{ channels: [{ name: 'x' }] }, 'each item a channel'],
    [{ channels: [{ name: 'a b', send: never }] }, 'each item a channel'],
    [{ channels: [{ ...good, minSeverity: 'severe' }] }, 'each item a channel'],
    [{ timeoutMs: 0 }, 'options.timeoutMs must be an integer from 1'],
    [{ retries: 1.5 }, 'options.retries must be an integer from 0'],
    [{ queue: 0 }, 'options.queue must be an integer from 1'],
    [{ retry: 3 }, 'there is no option "retry"'],
  ])('%j are told in words', (options, words) => {
    const given = { channels: [good], health, ...options } as Parameters<typeof createDelivery>[0];
    expect(() => createDelivery(given)).toThrow(TypeError);
    expect(() => createDelivery(given)).toThrow(words);
  });

  it('that give two channels one name are told with the fix', () => {
    expect(() => createDelivery({ channels: [good, good], health })).toThrow(
      'two channels are called "inbox". Give one of them another `name`',
    );
  });
});
