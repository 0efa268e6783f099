import {
  checkOptions,
  isMountPath,
  rule,
  type AdapterOptions,
  type OptionRule,
} from '@claude-metrics/core';
import type { FactoryProvider, ModuleMetadata, Type } from '@nestjs/common';
import type { ExpressRequest } from './request.js';

/**
 * Options of the module. `Req` is the type of request your functions are written for: Express's, or
 * Fastify's.
 */
export interface ClaudeMetricsOptions<Req = ExpressRequest> extends AdapterOptions<Req> {
  /** Where the dashboard answers, below the global prefix. Default `/claude-metrics`; `false`: nowhere. */
  readonly path?: string | false | undefined;
  /**
   * For `@InjectAnthropic()`: options of the SDK's client, or a client of your own. Default: what the
   * SDK finds in the environment.
   */
  readonly anthropic?: object | undefined;
}

/** Options of `forRoot()`: those of the module, and how it is put into the application. */
export interface ClaudeMetricsRootOptions<Req = ExpressRequest> extends ClaudeMetricsOptions<Req> {
  /** Default `true`: the monitor can be injected everywhere. */
  readonly isGlobal?: boolean | undefined;
}

/** What the factory of `forRootAsync()` gives: everything but `path`. */
export type ClaudeMetricsFactoryOptions<Req = ExpressRequest> = Omit<
  ClaudeMetricsOptions<Req>,
  'path'
>;

/** For `useClass` and `useExisting`. */
export interface ClaudeMetricsOptionsFactory<Req = ExpressRequest> {
  createClaudeMetricsOptions():
    ClaudeMetricsFactoryOptions<Req> | Promise<ClaudeMetricsFactoryOptions<Req>>;
}

/** Options of `forRootAsync()`: one of `useFactory`, `useClass` and `useExisting` gives the rest. */
export interface ClaudeMetricsAsyncOptions<Req = ExpressRequest> {
  readonly imports?: ModuleMetadata['imports'];
  /** Arguments of `useFactory`. */
  readonly inject?: FactoryProvider['inject'];
  readonly useFactory?:
    | ((
        ...args: never[]
      ) => ClaudeMetricsFactoryOptions<Req> | Promise<ClaudeMetricsFactoryOptions<Req>>)
    | undefined;
  readonly useClass?: Type<ClaudeMetricsOptionsFactory<Req>> | undefined;
  readonly useExisting?: Type<ClaudeMetricsOptionsFactory<Req>> | string | symbol | undefined;
  /** Here and not in what the factory gives: routes are fixed before it runs. */
  readonly path?: string | false | undefined;
  readonly isGlobal?: boolean | undefined;
  /** Used when the factory gives none. */
  readonly anthropic?: object | undefined;
}

const pathRule: OptionRule = {
  allowed: "a path without a final slash ('/claude-metrics'), or false for no dashboard",
  ok: (value) => value === false || isMountPath(value),
};
const ownRules = { path: pathRule, isGlobal: rule.boolean, anthropic: rule.object };

/**
 * What has to be right before there is an application; the rest is checked when that is made.
 *
 * @throws TypeError naming the option, its value and what is allowed.
 */
export function checkOwnOptions(where: string, options: object): void {
  if (!rule.object.ok(options)) checkOptions(where, options, ownRules);
  const own = Object.keys(ownRules).filter((name) => Object.hasOwn(options, name));
  const given = options as Readonly<Record<string, unknown>>;
  checkOptions(where, Object.fromEntries(own.map((name) => [name, given[name]])), ownRules);
}

/** @throws TypeError unless exactly one source of options is named. */
export function checkAsyncOptions(where: string, options: object): void {
  checkOptions(where, options, {
    ...ownRules,
    imports: rule.listOf({ allowed: 'a module', ok: (value) => Boolean(value) }),
    inject: rule.listOf({ allowed: 'a token', ok: (value) => Boolean(value) }),
    useFactory: rule.function,
    useClass: rule.function,
    useExisting: { allowed: 'a token', ok: (value) => Boolean(value) },
  });
  const given = options as Readonly<Record<string, unknown>>;
  const sources = ['useFactory', 'useClass', 'useExisting'].filter((name) => given[name]);
  if (sources.length === 1) return;
  throw new TypeError(
    `[claude-metrics] ${where}: options must have one of useFactory, useClass and useExisting, ` +
      `got ${sources.length === 0 ? 'none' : sources.join(' and ')}.`,
  );
}

const factoryRules = {
  path: {
    allowed: 'given beside the factory, because routes are fixed before it runs',
    ok: () => false,
  },
  anthropic: rule.object,
};

/** @throws TypeError for what a factory cannot give. */
export function checkFactoryOptions(where: string, given: unknown): object {
  if (given === undefined) {
    throw new TypeError(`[claude-metrics] ${where}: the factory must give options, got nothing.`);
  }
  checkOptions(where, rule.object.ok(given) ? {} : given, {});
  const { path, anthropic } = given as ClaudeMetricsOptions;
  checkOptions(where, { path, anthropic }, factoryRules);
  return given as object;
}
