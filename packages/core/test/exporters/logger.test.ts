import { Console } from 'node:console';
import pino from 'pino';
import winston from 'winston';
import { alert } from '../../src/alerts/rules.js';
import { logTo, type LogToOptions } from '../../src/exporters/logger.js';
import type { Logger } from '../../src/logger.js';
import { channel } from '../../src/notify/channels.js';
import {
  application,
  jsonStream,
  levelsOf,
  logged,
  monitorOf,
  recordAll,
  USAGE,
  type Line,
} from './lines.js';

/** Calls, and what is told besides them, in logs of several makes. */

describe('pino', () => {
  it('gets the fields first, by a child with a name of its own', () => {
    const { stream, lines } = jsonStream();
    logged(pino({ base: { service: 'shop' } }, stream));
    const written = lines();
    expect(levelsOf(written)).toEqual([30, 40, 50, 40, 40]);
    expect(written[0]).toMatchObject({
      service: 'shop',
      component: 'claude-metrics',
      msg: 'Claude call ok: claude-sonnet-5-5, 2410 ms, $0.003, feature "chat"',
      claude: { event: 'claude.call', userId: 'ada' },
    });
    expect(Object.keys(written[0]!)).toEqual([
      ...['level', 'time', 'service', 'component', 'claude', 'msg'],
    ]);
  });

  it('may have levels of its own, and be handed over without a child', () => {
    const { stream, lines } = jsonStream();
    const logger = pino({ customLevels: { news: 35 } }, stream);
    logged(logger, { levels: { info: 'news', error: 'fatal' }, component: false });
    const written = lines();
    expect(levelsOf(written)).toEqual([35, 40, 60, 40, 40]);
    expect(written[0]).not.toHaveProperty('component');
  });

  it('is heeded when its level changes, though its children keep theirs', () => {
    const { stream, lines } = jsonStream();
    let serialised = 0;
    const claude = (value: unknown) => ((serialised += 1), value);
    const logger = pino({ level: 'error', serializers: { claude } }, stream);
    const monitor = monitorOf({ log: logger });
    recordAll(monitor);
    expect(levelsOf(lines())).toEqual([50]);
    expect(serialised).toBe(1);
    logger.level = 'warn';
    recordAll(monitor);
    expect(levelsOf(lines())).toEqual([40, 50, 40, 40]);
    logger.level = 'silent';
    recordAll(monitor);
    expect(lines()).toEqual([]);
    expect(serialised).toBe(5);
  });
});

describe('the console', () => {
  function consoleTo() {
    const { stream } = jsonStream();
    const text = (): string => String(stream.read() ?? '');
    return { logger: new Console({ stdout: stream, stderr: stream }), text };
  }

  it('gets the text first, and the fields', () => {
    const { logger, text } = consoleTo();
    logged(logger, { levels: { warn: false, error: false } });
    expect(text()).toMatch(/^Claude call ok: [^\n]* feature "chat" \{\n {2}claude: \{\n/);
  });

  it('gets the fields also where a name looks like a place for them', () => {
    const { logger, text } = consoleTo();
    const monitor = monitorOf({ log: logger });
    const feature = '%s of %o, 100%';
    monitor.record({ model: 'claude-sonnet-5-5', usage: USAGE, feature, userId: 'ada' });
    const written = text();
    expect(written).toContain('feature "% s of % o, 100%" {');
    expect(written).toContain("userId: 'ada'");
  });

  it('can have the text alone', () => {
    const { logger, text } = consoleTo();
    logged(logger, { style: 'message-only' });
    expect(text()).toContain('Claude call aborted: claude-sonnet-5-5, 0 ms, $0.003\n');
    expect(text()).not.toContain('{');
  });
});

describe('sampling', () => {
  const written = (share: number, calls: number): Line[] => {
    const { logger, first } = application();
    const monitor = monitorOf({ log: logTo(logger, { sampleOk: share }) });
    for (let i = 0; i < calls; i += 1) {
      const feature = i % 2 === 0 ? 'even' : 'odd';
      monitor.record({ model: 'claude-sonnet-5-5', usage: USAGE, feature });
      if (i % 100 === 0) monitor.record({ model: 'claude-sonnet-5-5', outcome: 'aborted' });
    }
    return first.lines();
  };

  it.each([0, 0.02, 0.5, 1])('writes %d of the calls that went well, and all others', (share) => {
    const lines = written(share, 1_000);
    expect(levelsOf(lines).filter((level) => level === 'warn')).toHaveLength(10);
    const ok = lines.filter(({ level }) => level === 'info') as { claude: Line }[];
    expect(Math.abs(ok.length - share * 1_000)).toBeLessThanOrEqual(3);
    // Traffic with a rhythm of its own is not cut at every second beat.
    const even = ok.filter(({ claude }) => claude['feature'] === 'even').length;
    expect(Math.abs(2 * even - ok.length)).toBeLessThanOrEqual(4);
    const rates = new Set(ok.map(({ claude }) => claude['sampleRate']));
    expect([...rates]).toEqual(ok.length === 0 ? [] : [share === 1 ? undefined : share]);
  });
});

describe('besides calls', () => {
  it('budgets, alerts and notices are told there once, and nothing on stderr', async () => {
    const silent = (['warn', 'error'] as const).map((name) => jest.spyOn(console, name));
    const { logger, first } = application();
    const monitor = monitorOf({
      log: logger,
      budgets: [{ usd: 0.004, per: 'day', of: 'user', warnAt: [0.5] }],
      alerts: [alert.spendAbove(0.001, { severity: 'critical' })],
    });
    monitor.record({ model: 'claude-sonnet-5-5', usage: USAGE, userId: 'ada %s' });
    await monitor.evaluateAlerts();
    monitor.say('The dashboard is closed.');
    await monitor.close();
    for (const spy of silent) expect(spy).not.toHaveBeenCalled();
    for (const spy of silent) spy.mockRestore();
    const lines = (first.lines() as { level: string; message: string; claude: Line }[]).sort(
      (a, b) => String(a.claude['event']).localeCompare(String(b.claude['event'])),
    );
    expect(lines.map(({ level, claude }) => [claude['event'], level])).toEqual([
      ['claude.alert', 'error'],
      ['claude.budget', 'warn'],
      ['claude.call', 'info'],
      ['claude.notice', 'warn'],
    ]);
    const [fired, budget, , notice] = lines;
    expect(budget?.message).toContain('Budget "user-day" of "ada %s" has passed 50 %');
    expect(budget?.claude).toMatchObject({ type: 'threshold', scope: 'ada %s', spentUsd: 0.003 });
    expect(fired?.message).toContain('Firing: ');
    expect(fired?.claude).toMatchObject({ type: 'firing', alert: { severity: 'critical' } });
    expect(notice).toMatchObject({ message: 'The dashboard is closed.' });
  });

  it('the address with the token of the dashboard is for the terminal, and in no log', async () => {
    const told = jest.spyOn(console, 'warn').mockReturnValue();
    const { logger, first } = application();
    const monitor = monitorOf({ log: logger });
    monitor.say('Dashboard: open /claude-metrics/?token=secret');
    await monitor.close();
    expect(told).toHaveBeenCalledWith(
      '[claude-metrics] Dashboard: open /claude-metrics/?token=secret',
    );
    told.mockRestore();
    expect(first.lines()).toEqual([]);
  });

  it('goes to the application’s own channels and onNotice where it has them', async () => {
    const { logger, first } = application();
    const other = application();
    const said: string[] = [];
    const monitor = monitorOf({
      log: logTo(logger, { levels: { alert: false, budget: 'info' } }),
      onNotice: (text) => said.push(text),
      budgets: [{ usd: 0.004, per: 'day', warnAt: [0.5] }],
      alerts: [alert.spendAbove(0.001)],
      channels: [channel.log(other.logger)],
    });
    monitor.record({ model: 'claude-sonnet-5-5', usage: USAGE });
    await monitor.evaluateAlerts();
    await monitor.close();
    expect(said).toEqual([expect.stringContaining('Budget "all-day" has passed')]);
    const events = first.lines().map(({ claude }) => (claude as Line)['event']);
    expect(new Set(events)).toEqual(new Set(['claude.budget', 'claude.call']));
    expect(other.first.lines()).toMatchObject([{ claude: { event: 'claude.alert' } }]);
  });
});

describe('a function', () => {
  it('may give back what it likes, as a logger does that gives itself', async () => {
    const { logger, first } = application();
    const monitor = monitorOf({
      onNotice() {},
      log: (line) => logger.log({ level: line.level, message: 'claude', claude: line }),
    });
    recordAll(monitor);
    await monitor.close();
    expect(levelsOf(first.lines())).toEqual(['info', 'warn', 'error', 'warn', 'warn']);
    expect(monitor.health().faults).toEqual({});
  });
});

describe('a logger in trouble', () => {
  it('that throws, rejects or has ended fails no call, and is told on stderr', async () => {
    const told = jest.spyOn(console, 'warn').mockReturnValue();
    const ended = application().logger;
    ended.end();
    const levels = { info() {}, warn() {} };
    const throws = (): never => {
      throw new Error('ENOSPC');
    };
    const loggers: Logger[] = [
      ended,
      { ...levels, info: throws, warn: throws, error: throws },
      { ...levels, info: () => Promise.reject(new Error('ENOSPC')), error: throws },
      winston.createLogger({
        format: winston.format.printf(throws),
        transports: new winston.transports.Stream({ stream: jsonStream().stream }),
      }),
    ];
    for (const log of loggers) {
      const monitor = monitorOf({ log });
      const record = monitor.record({ model: 'claude-sonnet-5-5', usage: USAGE });
      expect(record.cost?.usd).toBe(0.003);
      await Promise.resolve();
      await monitor.close();
      const { faults } = monitor.health();
      expect(Object.keys(faults)).toEqual(['sink:logger']);
    }
    const lines = told.mock.calls.map(([text]) => String(text));
    told.mockRestore();
    // The third takes warnings, so it was told there.
    expect(lines).toHaveLength(3);
    for (const line of lines) expect(line).toContain('[claude-metrics] sink:logger failed');
  });

  const ok = () => undefined;

  it.each<[unknown, LogToOptions, string]>([
    ['text', {}, 'logTo: expected a logger with log(), or with info(), warn() and error()'],
    [{ info: ok, warn: ok }, {}, 'no level "error". Tell one that it has in options.levels.error'],
    [{ log: ok }, { levels: { done: 'info' } as never }, 'options.levels must be an object with'],
    [{ log: ok }, { levels: { ok: 3 } as never }, 'or false, for info, warn, ok, refused'],
    [winston, { levels: { blocked: 'notice' } }, 'no level "notice". Tell one that it has'],
    [{ log: ok }, { sampleOk: 2 }, 'options.sampleOk must be a share from 0 to 1, got 2'],
    [{ log: ok }, { component: '' }, 'options.component must be a string that is not empty'],
    [{ log: ok }, { style: 'loud' as never }, 'options.style must be "entry", or "message-first"'],
    [{ log: ok }, { level: 'info' } as never, 'there is no option "level"'],
  ])('or options that cannot be meant are told in words: %#', (logger, options, words) => {
    expect(() => logTo(logger as Logger, options)).toThrow(TypeError);
    expect(() => logTo(logger as Logger, options)).toThrow(words);
  });
});
