import type { Monitor } from '@claude-metrics/core';
import { Inject, Injectable } from '@nestjs/common';
import * as terminus from '@nestjs/terminus';
import { CLAUDE_MONITOR } from './tokens.js';

/**
 * Whether the measuring is healthy, for `@nestjs/terminus`. It says nothing about Claude, and it has
 * numbers alone: no prompt, no message of an error.
 *
 * - **down**: a step of ours has failed since the process started. Calls are not affected, but figures
 *   may be too low.
 */
export type ClaudeMetricsHealth<Key extends string> = Record<
  Key,
  {
    status: 'up' | 'down';
    /** How often each step has failed. */
    faults: Record<string, number>;
    /** What was left out, for a bound's sake. */
    dropped: Record<string, number>;
  }
>;

@Injectable()
export class ClaudeMetricsHealthIndicator {
  readonly monitor: Monitor;

  constructor(@Inject(CLAUDE_MONITOR) monitor: Monitor) {
    this.monitor = monitor;
  }

  /**
   * @throws Error on terminus 10 when the measuring is down: that is how an indicator says so there.
   *
   * @example
   * const check = (health, claude) => health.check([() => claude.check()]);
   */
  async check<Key extends string = 'claude'>(
    key: Key = 'claude' as Key,
  ): Promise<ClaudeMetricsHealth<Key>> {
    const { ok, faults, dropped } = this.monitor.health();
    const counts = Object.entries(faults).map(([step, { count }]) => [step, count] as const);
    const result = {
      [key]: {
        status: ok ? 'up' : 'down',
        faults: Object.fromEntries(counts),
        dropped: { ...dropped },
      },
    } as ClaudeMetricsHealth<Key>;
    if (!ok && throwsWhenDown) throw downError(key, result);
    return Promise.resolve(result);
  }
}

// Terminus 11 brought this service, and indicators that return what they found.
const exported = [terminus, (terminus as { default?: object }).default ?? {}];
const throwsWhenDown = !exported.some((names) => 'HealthIndicatorService' in names);

/** What terminus 10 looks for in an error, to tell a finding from a failure. */
function downError(key: string, causes: object): Error {
  return Object.assign(new Error(`[claude-metrics] ${key} is down`), {
    isHealthCheckError: true,
    causes,
  });
}
