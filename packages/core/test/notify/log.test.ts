import { Console } from 'node:console';
import { PassThrough } from 'node:stream';
import pino from 'pino';
import { callback } from '../../src/notify/callback.js';
import { channel } from '../../src/notify/channels.js';
import type { Logger } from '../../src/logger.js';
import { log, type LogOptions } from '../../src/notify/log.js';
import { AT, message, rig, settled } from './fixture.js';

/** Alerts in logs of several makes, and in functions. */

const SEVERITIES = ['info', 'warning', 'critical'] as const;
const HEADLINE = 'Firing: Error rate 7.2 % over 5 min (limit 5 %), feature chat';

/** One firing message of each severity, and a resolved critical one. */
async function send(logger?: Logger, options?: LogOptions): Promise<void> {
  const { delivery, report } = rig([log(logger, options)], { retries: 0 });
  for (const severity of SEVERITIES) delivery.push(message({ alert: { severity } }));
  delivery.push(message({ type: 'resolved' }));
  await settled();
  expect(report()).toMatchObject({ sent: 4, failed: 0 });
}

/** All that was written: newer Nodes give one chunk at a time. */
function textOf(stream: PassThrough): string {
  let text = '';
  for (let chunk: unknown = stream.read(); chunk !== null; chunk = stream.read()) {
    text += String(chunk);
  }
  return text;
}

function lines(stream: PassThrough): Record<string, unknown>[] {
  return textOf(stream)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('without a logger', () => {
  it('a message is one line of JSON on stderr', async () => {
    const written: string[] = [];
    const spy = jest.spyOn(console, 'error').mockImplementation((text) => void written.push(text));
    await send(undefined, { levels: { critical: 'fatal' } });
    spy.mockRestore();
    const told = written.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(told.map(({ level }) => level)).toEqual(['info', 'warn', 'fatal', 'info']);
    const { alert, link } = message();
    expect(told[2]).toEqual({
      level: 'fatal',
      event: 'claude.alert',
      timestamp: AT,
      message: HEADLINE,
      claude: { messageId: 'msg_1', type: 'firing', at: AT, alert, link },
    });
    expect(written.join('')).not.toContain('\n');
  });
});

describe('a logger like winston', () => {
  const NPM = { error: 0, warn: 1, info: 2 };
  const SYSLOG = {
    emerg: 0,
    alert: 1,
    crit: 2,
    error: 3,
    warning: 4,
    notice: 5,
    info: 6,
    debug: 7,
  };

  function winston(levels?: object) {
    const entries: Record<string, unknown>[] = [];
    const methods = Object.fromEntries(
      Object.keys(levels ?? {}).map((level) => [
        level,
        () => {
          throw new Error(`${level}() is not to be called`);
        },
      ]),
    );
    const entry = (given: Record<string, unknown>) => void entries.push(given);
    return { entries, logger: { ...methods, ...(levels && { levels }), log: entry } };
  }

  it.each([
    ['its own levels', NPM, ['info', 'warn', 'error', 'info']],
    ['the levels of syslog, which know no warn', SYSLOG, ['info', 'warning', 'error', 'info']],
    ['nothing but log()', undefined, ['info', 'warn', 'error', 'info']],
  ])('with %s gets entries', async (_what, levels, expected) => {
    const { logger, entries } = winston(levels);
    await send(logger);
    expect(entries.map(({ level }) => level)).toEqual(expected);
    expect(Object.keys(entries[2] ?? {})).toEqual(['level', 'message', 'claude']);
    expect(entries[2]?.['message']).toBe(HEADLINE);
    expect(entries[2]?.['claude']).toMatchObject({ event: 'claude.alert', type: 'firing' });
  });

  it('takes the levels it is told', async () => {
    const { logger, entries } = winston(SYSLOG);
    await send(logger, { levels: { critical: 'crit', resolved: 'notice' } });
    expect(entries.map(({ level }) => level)).toEqual(['info', 'warning', 'crit', 'notice']);
  });

  it('whose transport throws is a channel that fails', async () => {
    const throws = () => {
      throw new Error('ENOSPC');
    };
    const { delivery, report } = rig([log({ log: throws })], { retries: 0 });
    delivery.push(message());
    await settled();
    expect(report()).toMatchObject({ sent: 0, failed: 1 });
  });
});

describe('pino', () => {
  it('gets the object first', async () => {
    const stream = new PassThrough();
    await send(pino(stream));
    const told = lines(stream);
    expect(told.map(({ level }) => level)).toEqual([30, 40, 50, 30]);
    expect(told[2]).toMatchObject({ msg: HEADLINE, claude: { alert: { rule: 'error-rate' } } });
  });

  it('has levels of its own', async () => {
    const stream = new PassThrough();
    await send(pino(stream), { levels: { critical: 'fatal' } });
    expect(lines(stream).map(({ level }) => level)).toEqual([30, 40, 60, 30]);
  });
});

describe('a logger with a method per level', () => {
  it('gets the text first: the console', async () => {
    const stdout = new PassThrough();
    const stderr = new PassThrough();
    await send(new Console({ stdout, stderr }));
    expect(textOf(stdout)).toContain('Resolved: ');
    expect(textOf(stderr)).toContain(`${HEADLINE} {`);
  });

  it('may have log() for info(), as that of Nest', async () => {
    const calls: unknown[][] = [];
    const method =
      (name: string) =>
      (...args: unknown[]) =>
        void calls.push([name, ...args]);
    await send({ log: method('log'), warn: method('warn'), error: method('error') });
    expect(calls.map(([name]) => name)).toEqual(['log', 'warn', 'error', 'log']);
    expect(calls[2]?.slice(1)).toEqual([
      HEADLINE,
      { claude: expect.objectContaining({ type: 'firing' }) },
    ]);
  });

  it('keeps its `this`', async () => {
    const logger = {
      count: 0,
      info() {
        this.count += 1;
      },
      warn() {
        this.count += 1;
      },
      error() {
        this.count += 1;
      },
    };
    await send(logger);
    expect(logger.count).toBe(4);
  });

  it('can be told how it is called', async () => {
    const calls: unknown[][] = [];
    const method = (...args: unknown[]) => void calls.push(args);
    await send({ info: method, warn: method, error: method }, { style: 'object-first' });
    expect(calls[0]).toEqual([expect.any(Object), expect.stringContaining('Firing: ')]);
  });
});

describe('a logger that cannot serve', () => {
  const ok = () => undefined;

  it.each([
    ['text', 'expected a logger with log(), or with info(), warn() and error(), got "text"'],
    [null, 'expected a logger'],
    [{ info: ok, warn: ok }, 'the logger has no level "error". Tell one that it has'],
    [{ log: ok, levels: { error: 0, info: 1 } }, 'the logger has no level "warn" or "warning"'],
  ])('is told in words: %#', (logger, words) => {
    expect(() => log(logger as Logger)).toThrow(TypeError);
    expect(() => log(logger as Logger)).toThrow(words);
  });

  it.each([
    [{ levels: { severe: 'x' } }, 'options.levels must be an object with texts for info'],
    [{ levels: { info: 7 } }, 'options.levels must be'],
    [{ style: 'loud' }, 'options.style must be "entry", or "message-first"'],
    [{ levels: { critical: 'crit' } }, 'no level "crit". Tell one that it has in options.levels.c'],
  ])('or options that cannot be meant: %#', (options, words) => {
    const logger = { info: ok, warn: ok, error: ok };
    expect(() => log(logger, options as LogOptions)).toThrow(words);
  });
});

describe('callback', () => {
  it('gets the message and a signal, and may fail', async () => {
    const seen: unknown[] = [];
    const told = callback(
      (each, signal) => {
        seen.push(each, signal.aborted);
        if (seen.length === 2) throw new Error('Overloaded');
      },
      { name: 'queue', minSeverity: 'warning' },
    );
    const { delivery, timers, report } = rig([told]);
    delivery.push(message());
    delivery.push(message({ alert: { severity: 'info' } }));
    await settled();
    expect(report('queue').lastError).toBe('Overloaded');
    await timers.advance(1_000);
    expect(seen).toEqual([message(), false, message(), false]);
    expect(report('queue')).toMatchObject({ sent: 1, failed: 0 });
  });

  it('needs a function', () => {
    expect(() => callback('x' as unknown as () => void)).toThrow(
      'channel.callback: expected a function of a message, got "x"',
    );
  });
});

describe('the ways to people', () => {
  it('are six', () => {
    const names = ['log', 'callback', 'webhook', 'slack', 'pagerDuty', 'email'];
    expect(Object.keys(channel)).toEqual(names);
  });
});
