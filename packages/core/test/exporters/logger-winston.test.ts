import Anthropic from '@anthropic-ai/sdk';
import { createSimulator } from '@claude-metrics/testing';
import { AsyncLocalStorage } from 'node:async_hooks';
import winston from 'winston';
import { logTo } from '../../src/exporters/logger.js';
import type { CallRecord } from '../../src/record.js';
import { QUESTION } from '../capture/sdk.js';
import {
  application,
  callsOf,
  jsonStream,
  levelsOf,
  logged,
  monitorOf,
  USAGE,
  type Line,
} from './lines.js';

/** Calls in the log of an application that has winston. */

const { combine, json, simple, splat } = winston.format;

describe('an application’s winston logger', () => {
  it('gets each call once, at a level by its outcome, in every transport that wants it', () => {
    const { logger, first, second } = application();
    logged(logger);
    const lines = first.lines();
    expect(levelsOf(lines)).toEqual(['info', 'warn', 'error', 'warn', 'warn']);
    const ids = (of: Line[]) => callsOf(of).map(({ claude }) => (claude as Line)['callId']);
    expect(new Set(ids(lines)).size).toBe(5);
    expect(ids(second.lines())).toEqual([ids(lines)[2]]);
  });

  it('gets everything under `claude`, beside its own message, timestamp and level', () => {
    const { logger, first } = application({ defaultMeta: { service: 'shop', error: 'mine' } });
    logged(logger);
    const [ok, , error] = first.lines();
    expect(Object.keys(ok!).sort()).toEqual([
      ...['claude', 'component', 'error', 'level', 'message', 'service', 'timestamp'],
    ]);
    expect(ok).toMatchObject({
      component: 'claude-metrics',
      service: 'shop',
      error: 'mine',
      message: 'Claude call ok: claude-sonnet-5-5, 2410 ms, $0.003, feature "chat"',
    });
    expect(ok!['timestamp']).not.toBe('2026-11-01T10:00:00.000Z');
    const { claude } = ok as { claude: Line };
    expect(claude).toMatchObject({ event: 'claude.call', userId: 'ada', costUsd: 0.003 });
    expect(claude['timestamp']).toBe('2026-11-01T10:00:00.000Z');
    expect(claude).not.toHaveProperty('level');
    // An Error would have become {}.
    expect(error).toMatchObject({
      message: 'Claude call error: claude-sonnet-5-5, overloaded (529), 0 ms, $0',
      claude: { error: 'Overloaded', errorKind: 'overloaded' },
    });
  });

  it('names its component, also where the application has one', () => {
    const { logger, first } = application({ defaultMeta: { component: 'api' } });
    logged(logger, { component: 'claude' });
    logger.info('of the application');
    const components = first.lines().map(({ component }) => component);
    expect(components).toEqual(
      [...Array<string>(6).fill('claude'), 'api'].slice(-components.length),
    );
    const without = application({ defaultMeta: { component: 'api' } });
    logged(without.logger, { component: false });
    expect(without.first.lines()[0]).toMatchObject({ component: 'api' });
  });

  it('is left as it is: no transport, format, level or listener is added', () => {
    const { logger } = application();
    const of = () => ({
      transports: [...logger.transports],
      format: logger.format,
      level: logger.level,
      meta: logger.defaultMeta as unknown,
      exceptions: logger.exceptions.handlers.size,
      listeners: logger.eventNames().map((name) => [name, logger.listenerCount(name)]),
      process: process.eventNames().map((name) => process.listenerCount(name as 'exit')),
    });
    const before = of();
    logged(logger);
    expect(of()).toEqual(before);
  });

  it('may be the default logger of the module', () => {
    const { stream, lines } = jsonStream();
    winston.configure({ transports: [new winston.transports.Stream({ stream })] });
    logged(winston);
    logged(winston, { component: false });
    const written = callsOf(lines());
    expect(written).toHaveLength(10);
    expect(written[0]).toMatchObject({ level: 'info', component: 'claude-metrics' });
    expect(written[5]).toMatchObject({ level: 'info', claude: { userId: 'ada' } });
    winston.clear();
  });

  it('takes names from outside as they are, on one line, whatever format it has', () => {
    const { stream } = jsonStream();
    const logger = winston.createLogger({
      format: combine(splat(), simple()),
      transports: [new winston.transports.Stream({ stream })],
    });
    const monitor = monitorOf({ log: logger });
    const hostile = 'a\nb %s %o %d \u2028{"level":"emerg"}';
    monitor.record({ model: 'claude-%s-5', usage: USAGE, feature: hostile, userId: '__proto__' });
    // The first line is the notice that this model has no price.
    const [, text, ...others] = String(stream.read()).split(/[\n\u2028]/);
    expect(others).toEqual(['']);
    expect(text).toContain('feature "a\uFFFDb %s %o %d \uFFFD{\\"level\\":\\"emerg\\"}"');
    expect(text).toContain('"userId":"__proto__"');
  });

  it('is written to in the context of the call, so that its formats know the request', async () => {
    const simulator = await createSimulator();
    const requests = new AsyncLocalStorage<string>();
    const { stream, lines } = jsonStream();
    const logger = winston.createLogger({
      format: combine(
        winston.format((info) => ({ ...info, request: requests.getStore() }))(),
        json(),
      ),
      transports: [new winston.transports.Stream({ stream })],
    });
    const monitor = monitorOf({ log: logger });
    const client = monitor.observe(new Anthropic({ apiKey: 'test', baseURL: simulator.url }));
    const ask = async (name: string): Promise<void> => {
      await client.messages.create(QUESTION);
      for await (const _ of client.messages.stream(QUESTION)) void name;
    };
    await Promise.all(['one', 'two'].map((name) => requests.run(name, () => ask(name))));
    await monitor.close();
    await simulator.close();
    const seen = lines().map(({ request }) => request);
    expect(seen).toHaveLength(4);
    for (const name of ['one', 'two']) expect(seen.filter((each) => each === name)).toHaveLength(2);
  });
});

describe('levels', () => {
  it('of syslog, which know no warn, are found', () => {
    const { logger, first } = application({ levels: winston.config.syslog.levels });
    logged(logger);
    expect(levelsOf(first.lines())).toEqual(['info', 'warning', 'error', 'warning', 'warning']);
  });

  it('of the application’s own are told', () => {
    const levels = { disaster: 0, error: 1, trouble: 2, news: 3, gossip: 4 };
    const { logger, first } = application({ levels, level: 'gossip' });
    expect(() => logTo(logger)).toThrow(
      '[claude-metrics] logTo: the logger has no level "info" or "log". ' +
        'Tell one that it has in options.levels.info.',
    );
    expect(() => monitorOf({ log: logger })).toThrow('no level "info"');
    logged(logger, {
      levels: { info: 'news', warn: 'trouble', error: 'disaster', aborted: 'gossip' },
    });
    const expected = ['news', 'trouble', 'disaster', 'gossip', 'trouble'];
    expect(levelsOf(first.lines())).toEqual(expected);
  });

  it('are told by outcome, and false leaves a kind out', () => {
    const { logger, first } = application({ level: 'silly' });
    const levels = { ok: false, refused: 'verbose', aborted: 'debug', unpriced: 'info' } as const;
    logged(logger, { levels });
    expect(levelsOf(first.lines())).toEqual(['verbose', 'error', 'debug', 'info']);
  });

  it('that are off leave nothing to be made: no field is read, no format runs', () => {
    let formatted = 0;
    const count = winston.format((info) => {
      formatted += 1;
      return info;
    });
    const { logger, first } = application({ format: combine(count(), json()) });
    const sink = logTo(logger, { levels: { ok: 'debug' } });
    const read = new Set<string>();
    const record = monitorOf({ log: false }).record({ model: 'claude-sonnet-5-5', usage: USAGE });
    const names = Object.keys(record) as (keyof CallRecord)[];
    const readOf = (name: keyof CallRecord): PropertyDescriptor => ({
      get: () => (read.add(name), record[name]),
    });
    const watched = Object.defineProperties(
      {},
      Object.fromEntries(names.map((name) => [name, readOf(name)])),
    ) as CallRecord;
    void sink.record(watched);
    expect([...read].sort()).toEqual(['outcome', 'priceStatus']);
    expect(formatted).toBe(0);
    // A level that is changed while the application runs is heeded.
    logger.level = 'debug';
    void sink.record(watched);
    expect(formatted).toBe(1);
    expect(first.lines()).toMatchObject([{ level: 'debug', claude: { model: record.model } }]);
  });
});
