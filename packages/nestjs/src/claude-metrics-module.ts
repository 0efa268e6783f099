import { Inject, Module, type DynamicModule } from '@nestjs/common';
import { CONNECTION, type Connection } from './connection.js';
import { moduleOf } from './definition.js';
import {
  checkAsyncOptions,
  checkFactoryOptions,
  checkOwnOptions,
  type ClaudeMetricsAsyncOptions,
  type ClaudeMetricsOptionsFactory,
  type ClaudeMetricsRootOptions,
} from './options.js';
import type { ExpressRequest } from './request.js';
import { CLAUDE_METRICS_OPTIONS } from './tokens.js';

/**
 * Measures every Claude call of a Nest application, and serves the dashboard as a controller. Import it
 * once, in the root module.
 */
@Module({})
export class ClaudeMetricsModule {
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
   * const imports = [ClaudeMetricsModule.forRoot()];
   */
  static forRoot<Req = ExpressRequest>(options: ClaudeMetricsRootOptions<Req> = {}): DynamicModule {
    const where = 'ClaudeMetricsModule.forRoot';
    checkOwnOptions(where, options);
    const { path, isGlobal, ...rest } = options;
    const source = [{ provide: CLAUDE_METRICS_OPTIONS, useFactory: () => rest }];
    return moduleOf(ClaudeMetricsModule, { where, path, isGlobal, source });
  }

  /**
   * `forRoot()` with options that other providers know.
   *
   * @throws TypeError for an option that does not exist or cannot be right. What the factory gives is
   * checked when the application is made.
   *
   * @example
   * const metrics = ClaudeMetricsModule.forRootAsync({
   *   useFactory: async () => ({ authToken: await Promise.resolve('0123456789abcdef0123456789abcdef') }),
   * });
   */
  static forRootAsync<Req = ExpressRequest>(
    options: ClaudeMetricsAsyncOptions<Req>,
  ): DynamicModule {
    const where = 'ClaudeMetricsModule.forRootAsync';
    checkAsyncOptions(where, options);
    const { path, isGlobal, anthropic, imports } = options;
    const given = (result: unknown) => ({ anthropic, ...checkFactoryOptions(where, result) });
    return moduleOf(ClaudeMetricsModule, {
      where,
      path,
      isGlobal,
      imports,
      source: sourceOf(options, given),
    });
  }
}

/** The providers of what `useFactory`, `useClass` or `useExisting` gives. */
function sourceOf<Req>(
  { useFactory, useClass, useExisting, inject }: ClaudeMetricsAsyncOptions<Req>,
  given: (result: unknown) => object,
): NonNullable<DynamicModule['providers']> {
  const provide = CLAUDE_METRICS_OPTIONS;
  if (useFactory) {
    const make = async (...args: never[]) => given(await useFactory(...args));
    return [{ provide, useFactory: make, inject: inject ?? [] }];
  }
  const token = useClass ?? useExisting;
  const make = async (factory: ClaudeMetricsOptionsFactory<Req>) =>
    given(await factory.createClaudeMetricsOptions());
  return [
    ...(useClass ? [useClass] : []),
    { provide, useFactory: make, inject: token === undefined ? [] : [token] },
  ];
}
