import type Anthropic from '@anthropic-ai/sdk';
import { serve, type Served } from 'example-shared';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'winston';
import { describeExample } from '../../shared/test/example.js';

/** The example logs to the console and to a file, both of them its own. */
const folder = mkdtempSync(join(tmpdir(), 'claude-metrics-example-log-'));
const file = join(folder, 'help-desk.log');
process.env['LOG_FILE'] = file;
const written: string[] = [];
// Winston writes to the stream of the console, past its methods.
const streams = console as unknown as { _stdout: object };
const { _stdout: stdout } = streams;
streams._stdout = { write: (line: string) => written.push(line.trimEnd()) };

const { createApp } = require('../src/app.mjs') as { createApp(client: Anthropic): Served };
const { logger } = require('../src/logger.mjs') as { logger: Logger };

describeExample(
  ({ client, port }) => serve(createApp(client), port),
  () => written,
);

describe('its log', () => {
  interface Line {
    readonly level: string;
    readonly message: string;
    readonly component?: string;
    readonly service: string;
    readonly claude?: { readonly event: string; readonly outcome?: string };
  }
  let lines: readonly Line[];

  beforeAll(async () => {
    await new Promise((resolve) => logger.once('finish', resolve).end());
    lines = readFileSync(file, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Line);
  });
  afterAll(() => {
    streams._stdout = stdout;
    delete process.env['LOG_FILE'];
    rmSync(folder, { recursive: true, force: true });
  });

  it('has the same lines in both of its transports', () => {
    expect(lines.length).toBeGreaterThan(20);
    const shown = written.map((line) => line.replace(/^\S+ /, ''));
    expect(shown).toEqual(lines.map(({ level, message }) => `${level.padEnd(5)} ${message}`));
  });

  it('has each call at the level of its outcome, and its fields in the file', () => {
    const levels = new Map<string, Set<string>>();
    const calls = lines.filter(({ claude }) => claude?.event === 'claude.call');
    for (const { level, claude } of calls) {
      const outcome = claude?.outcome ?? '';
      levels.set(outcome, (levels.get(outcome) ?? new Set()).add(level));
    }
    const each = (level: string) => new Set([level]);
    expect(Object.fromEntries(levels)).toEqual({
      ...{ ok: each('info'), error: each('error') },
      ...{ refused: each('warn'), aborted: each('warn'), blocked: each('warn') },
    });
    for (const { component, service } of calls) {
      expect([component, service]).toEqual(['claude-metrics', 'help-desk']);
    }
  });

  it('has what budgets and alerts told, beside lines of the application’s own', () => {
    const events = new Set(lines.map(({ claude }) => claude?.event));
    for (const event of ['claude.alert', 'claude.budget', undefined]) {
      expect(events).toContain(event);
    }
  });
});
