import {
  createMonitor,
  memoryStore,
  type CallRecord,
  type Clock,
  type Monitor,
  type MonitorOptions,
} from '@claude-metrics/core';

/** Time that passes when a test says so. */
export interface TestClock extends Clock {
  /** Milliseconds. */
  advance(ms: number): void;
}

/**
 * What a test sees of the measuring. It is the token, too: `app.get(ClaudeMetricsTesting)`.
 */
export abstract class ClaudeMetricsTesting {
  abstract readonly monitor: Monitor;
  abstract readonly clock: TestClock;
  /** Of calls that have ended, in that order. */
  abstract readonly records: readonly CallRecord[];
}

/** @throws TypeError for an option that does not exist or cannot be right. */
export function createTesting(options: MonitorOptions, now: Date): ClaudeMetricsTesting {
  const clock = createClock(now.getTime());
  const records: CallRecord[] = [];
  const monitor = createMonitor({ store: memoryStore(), log: false, clock, ...options });
  monitor.on({ name: 'testing', record: (call) => void records.push(call) });
  const testing = { monitor, clock, records, onApplicationShutdown: () => monitor.close() };
  return testing;
}

function createClock(start: number): TestClock {
  let passed = 0;
  return {
    now: () => start + passed,
    monotonic: () => passed,
    advance(ms) {
      if (!(ms >= 0)) {
        throw new TypeError(`[claude-metrics] clock.advance: time goes forward, got ${ms}.`);
      }
      passed += ms;
    },
  };
}
