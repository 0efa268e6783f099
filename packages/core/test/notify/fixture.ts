import type { Alert, AlertMessage, Channel, ChannelReport } from '../../src/alert.js';
import { createHealth, type Health } from '../../src/health.js';
import { createDelivery, type Delivery, type DeliveryOptions } from '../../src/notify/delivery.js';

/** What the tests of channels share: messages, a time of their own, and a delivery that runs on it. */
export const AT = '2026-11-01T10:00:00.000Z';

type Changes = Partial<Omit<AlertMessage, 'alert'>> & { readonly alert?: Partial<Alert> };

export function message(changes: Changes = {}): AlertMessage {
  const alert: Alert = {
    id: 'abcdef0123456789',
    rule: 'error-rate',
    severity: 'critical',
    group: { by: 'feature', key: 'chat' },
    state: 'firing',
    title: 'Error rate 7.2 % over 5 min (limit 5 %)',
    value: 0.072,
    limit: 0.05,
    unit: 'ratio',
    since: AT,
    firedAt: AT,
    resolvedAt: null,
    silencedUntil: null,
    ...changes.alert,
  };
  const text = `${alert.title}\nrule ${alert.rule}, since ${alert.since}`;
  return { id: 'msg_1', type: 'firing', at: AT, text, link: null, ...changes, alert };
}

/** Messages as an engine makes them: ids count up. */
export function messages(count: number, changes: Changes = {}): AlertMessage[] {
  return Array.from({ length: count }, (_, i) => message({ id: `msg_${i + 1}`, ...changes }));
}

export interface FakeTimers {
  schedule: NonNullable<DeliveryOptions['schedule']>;
  /** Milliseconds until each timer that runs, the first first. */
  pending(): number[];
  holding(): number[];
  /** Lets time pass, and everything that follows from it. */
  advance(ms: number): Promise<void>;
}

export function fakeTimers(): FakeTimers {
  let now = 0;
  let timers: { readonly at: number; readonly run: () => void; readonly hold: boolean }[] = [];
  const left = (those: typeof timers) =>
    those.map(({ at }) => at - now).sort((one, other) => one - other);
  return {
    schedule(run, ms, hold = false) {
      const timer = { at: now + ms, run, hold };
      timers.push(timer);
      return () => {
        timers = timers.filter((each) => each !== timer);
      };
    },
    pending: () => left(timers),
    holding: () => left(timers.filter(({ hold }) => hold)),
    async advance(ms) {
      const end = now + ms;
      for (;;) {
        const [first] = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (!first) break;
        now = first.at;
        timers = timers.filter((each) => each !== first);
        first.run();
        await settled();
      }
      now = end;
    },
  };
}

/** Everything that promises alone can do has been done. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Waits for what the outside world does; the test's own timeout is its end. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) {
    await new Promise((resolve) => {
      // Not for the process to wait for, if the test has given up.
      setTimeout(resolve, 1).unref();
    });
  }
}

export interface Rig {
  readonly delivery: Delivery;
  readonly timers: FakeTimers;
  readonly health: Health;
  /** Errors as `onError` was told them. */
  readonly told: unknown[];
  report(name?: string): ChannelReport;
}

export function rig(channels: readonly Channel[], options: Partial<DeliveryOptions> = {}): Rig {
  const timers = fakeTimers();
  const told: unknown[] = [];
  const health = createHealth({ onError: (error) => told.push(error) });
  const { schedule } = timers;
  const delivery = createDelivery({ channels, health, schedule, random: () => 1, ...options });
  return {
    delivery,
    timers,
    health,
    told,
    report(name = channels[0]?.name) {
      const found = delivery.reports().find((each) => each.name === name);
      if (!found) throw new Error(`there is no report of ${name}`);
      return found;
    },
  };
}
