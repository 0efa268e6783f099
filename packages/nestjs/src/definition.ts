import { Scope, type DynamicModule, type Type } from '@nestjs/common';
import { APP_GUARD, ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { CONNECTION, createConnection, type Connection } from './connection.js';
import { featureGuard } from './feature.js';
import { mountAt, MOUNTED } from './mount.js';
import type { ClaudeMetricsOptions } from './options.js';
import { CLAUDE_CLIENT, CLAUDE_METRICS_OPTIONS, CLAUDE_MONITOR } from './tokens.js';

/** What `forRoot()` and its likes make of their options. */
export interface Definition {
  /** The function that users know, for messages. */
  readonly where: string;
  readonly path: string | false | undefined;
  readonly isGlobal: boolean | undefined;
  readonly imports?: DynamicModule['imports'];
  /** Provides `CLAUDE_METRICS_OPTIONS`. */
  readonly source: NonNullable<DynamicModule['providers']>;
  readonly exports?: DynamicModule['exports'];
}

let count = 0;

export function moduleOf(module: Type<unknown>, definition: Definition): DynamicModule {
  const {
    where,
    path = '/claude-metrics',
    isGlobal = true,
    imports = [],
    source,
    exports = [],
  } = definition;
  const mount = path === false ? null : mountAt(path);
  const order = (count += 1);
  return {
    module,
    global: isGlobal,
    imports,
    controllers: mount ? [mount.controller] : [],
    providers: [
      ...source,
      {
        provide: CONNECTION,
        useFactory: (
          options: ClaudeMetricsOptions<never>,
          host: HttpAdapterHost,
          config: ApplicationConfig,
        ) => createConnection({ where, order, path, mount, options, host, config }),
        inject: [CLAUDE_METRICS_OPTIONS, HttpAdapterHost, ApplicationConfig],
      },
      {
        provide: MOUNTED,
        useFactory: ({ mounted }: Connection) => mounted,
        inject: [CONNECTION],
      },
      {
        provide: CLAUDE_MONITOR,
        useFactory: ({ monitor }: Connection) => monitor,
        inject: [CONNECTION],
      },
      {
        // Transient: Nest makes it for those who inject it, and not at all when nobody does.
        provide: CLAUDE_CLIENT,
        scope: Scope.TRANSIENT,
        useFactory: ({ client }: Connection) => client(),
        inject: [CONNECTION],
      },
      { provide: APP_GUARD, useValue: featureGuard },
      // Nest 10 takes two modules for one when they look the same.
      { provide: Symbol(`@claude-metrics/nestjs:${order}`), useValue: order },
    ],
    exports: [CLAUDE_MONITOR, CLAUDE_CLIENT, ...exports],
  };
}
