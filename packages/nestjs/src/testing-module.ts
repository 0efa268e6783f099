import { checkOptions, type MonitorOptions, type OptionRule } from '@claude-metrics/core';
import { Inject, Module, type DynamicModule } from '@nestjs/common';
import { CONNECTION, type Connection } from './connection.js';
import { moduleOf } from './definition.js';
import { checkOwnOptions, type ClaudeMetricsRootOptions } from './options.js';
import type { ExpressRequest } from './request.js';
import { ClaudeMetricsTesting, createTesting } from './testing-monitor.js';
import { CLAUDE_METRICS_OPTIONS } from './tokens.js';

/** Options of the testing module: those of the module itself, but for a monitor and a clock. */
export interface ClaudeMetricsTestingOptions<Req = ExpressRequest> extends Omit<
  ClaudeMetricsRootOptions<Req>,
  'monitor' | 'clock'
> {
  /** When the clock stands. Default the time of the start. */
  readonly now?: Date | undefined;
}

const date: OptionRule = {
  allowed: 'a Date',
  ok: (value) => value instanceof Date && !Number.isNaN(value.getTime()),
};

/**
 * `ClaudeMetricsModule` for tests: figures in memory, no log, no dashboard unless `path` is given, no
 * client observed but those that are injected or handed over, and a clock that stands still.
 */
@Module({})
export class ClaudeMetricsTestingModule {
  /** For Nest. */
  readonly configure: () => void;

  constructor(@Inject(CONNECTION) connection: Connection) {
    this.configure = () => connection.configure();
  }

  /**
   * @throws TypeError for a `path` or an `anthropic` that cannot be right. Any other bad option is a
   * TypeError when the application is made.
   *
   * @example
   * // In the application: `export const metrics = ClaudeMetricsModule.forRoot();`
   * const module = Test.createTestingModule({ imports: [AppModule] })
   *   .overrideModule(metrics)
   *   .useModule(ClaudeMetricsTestingModule.forRoot());
   */
  static forRoot<Req = ExpressRequest>(
    options: ClaudeMetricsTestingOptions<Req> = {},
  ): DynamicModule {
    const where = 'ClaudeMetricsTestingModule.forRoot';
    checkOwnOptions(where, options);
    const { path = false, isGlobal, now, ...rest } = options;
    checkOptions(where, { now }, { now: date });
    const { userId, feature, feedback, sessionId, anthropic, ...others } = rest;
    const { authorize, authToken, allowedHosts, ...own } = others;
    const access = { authorize, authToken, allowedHosts, feedback };
    const names = { userId, feature, sessionId, anthropic, ...access };
    return moduleOf(ClaudeMetricsTestingModule, {
      where,
      path,
      isGlobal,
      source: [
        {
          provide: ClaudeMetricsTesting,
          useFactory: () => createTesting(own satisfies MonitorOptions, now ?? new Date()),
        },
        {
          provide: CLAUDE_METRICS_OPTIONS,
          useFactory: ({ monitor }: ClaudeMetricsTesting) => ({ ...names, monitor }),
          inject: [ClaudeMetricsTesting],
        },
      ],
      exports: [ClaudeMetricsTesting],
    });
  }
}
