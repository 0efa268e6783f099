/** docs/budgets.md and docs/alerts.md name what the code has, and what they say to write can be written. */
import Anthropic from '@anthropic-ai/sdk';
import nodemailer from 'nodemailer';
import { budgetsOf } from '../src/budgets/options.js';
import * as core from '../src/index.js';
import { monitorRules } from '../src/monitor-options.js';
import { optionsOf, readPage, run, spansOf, valueOf } from './docs-page.js';

const { alert, channel, createMonitor } = core;
const pages = { budgets: readPage('budgets'), alerts: readPage('alerts') };
type PageName = keyof typeof pages;

const NOW = Date.parse('2026-11-25T10:00:00Z');
const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const env = {
  SLACK_URL: 'https://hooks.example/1',
  FINANCE_URL: 'https://hooks.example/2',
  PAGERDUTY_KEY: 'k'.repeat(32),
  ALERT_SECRET: SECRET,
};
/** What the pages take for granted. */
const given = {
  ...core,
  nodemailer,
  process: { env },
  transporter: nodemailer.createTransport({ host: 'smtp.example' }),
  logger: { info() {}, warn() {}, error() {}, fatal() {} },
  request: { model: 'claude-sonnet-5-5', max_tokens: 100, messages: [] },
  ...{ message: { id: 'msg_1' }, queue: { publish() {} }, fn: () => {} },
  ...{ limits: new Map(), reason: 'a test', id: 'none' },
};

const monitors: core.Monitor[] = [];
const clock = { at: NOW };
beforeEach(() => void (clock.at = NOW));
afterEach(async () => {
  await Promise.all(monitors.splice(0).map((each) => each.close()));
});

function start(options: core.MonitorOptions = {}): core.Monitor {
  const monitor = createMonitor({
    ...{ log: false, onNotice() {}, clock: { now: () => clock.at, monotonic: () => clock.at } },
    ...options,
  });
  monitors.push(monitor);
  return monitor;
}

describe.each(['budgets', 'alerts'] as const)('docs/%s.md', (name) => {
  const page = pages[name];
  const rows = page.tableUnder('If you want …');

  it('has something for everybody', () => {
    expect(rows.length).toBeGreaterThanOrEqual(20);
  });

  it.each(rows)('can be followed by whoever wants %s: %s', async (_want, write) => {
    let written = 0;
    for (const code of spansOf(write)) {
      if (/^\w+$|^GET \//.test(code)) continue;
      written += 1;
      const monitor = start({ budgets: [{ usd: 2, per: 'day', of: 'user' }] });
      if (/^\w+: /.test(code)) start(await optionOf(name, code));
      else start(optionsWith(code, await run(`return ${code}`, { ...given, monitor })));
    }
    expect(written).toBeGreaterThan(0);
  });
});

/** An option of the monitor, or of the one budget or rule that it is written into. */
async function optionOf(name: PageName, code: string): Promise<core.MonitorOptions> {
  const options = (await run(`return ({ ${code} })`, given)) as object;
  if (Object.keys(options).every((each) => Object.hasOwn(monitorRules, each))) return options;
  return name === 'alerts'
    ? { alerts: [alert.errorRateAbove(0.05, options)] }
    : { budgets: [{ usd: 50, per: 'day', ...options }] };
}

function optionsWith(code: string, value: unknown): core.MonitorOptions {
  if (code.startsWith('{')) return { budgets: [value as core.BudgetOptions] };
  if (code.startsWith('alert.')) return { alerts: [value as core.AlertRule] };
  return code.startsWith('channel.') ? { channels: [value as core.Channel] } : {};
}

describe('the options of docs/budgets.md', () => {
  const rows = pages.budgets.tableUnder('Options of a budget');
  const [built] = budgetsOf('here', [{ usd: 50, per: 'day' }]);

  it('are those of the code', () => {
    const names = rows.map(([cell]) => spansOf(cell)[0]);
    expect(names.sort()).toEqual(optionsOf((wrong) => budgetsOf('here', [wrong as never])));
  });

  const isNeeded = ([name = '']: string[]) => ['`usd`', '`per`'].includes(name);
  const isNothing = ([, value = '']: string[]) => /^(none|every call)$/.test(value);
  const others = rows.filter((row) => !isNeeded(row) && !isNothing(row));

  it('have no default where one is needed', () => {
    expect(rows.filter(isNeeded).map(([, value]) => value)).toEqual(['', '']);
  });

  it('are nothing by default where the page says so', () => {
    expect(rows.filter(isNothing).map(([name]) => name)).toEqual(
      ['models', 'maxCostUsd', 'match'].map((name) => `\`${name}\``),
    );
    expect(built).toMatchObject({ models: [], ceiling: null, match: null });
  });

  it.each(others)('are by default what the page says: %s, %s', async (name, value = '') => {
    const [option = ''] = spansOf(name);
    const [usual = value, toWarn = usual] = spansOf(value);
    const of = option === 'of' ? {} : { of: 'user' as const };
    for (const [action, code] of [['block', usual] as const, ['warn', toWarn] as const]) {
      const plain = { usd: 50, per: 'day', ...of, ...(option !== 'action' && { action }) } as const;
      const told = { ...plain, [option]: await valueOf(code) };
      expect(budgetsOf('here', [told])).toEqual(budgetsOf('here', [plain]));
    }
  });
});

it('docs/budgets.md shows what a refused caller gets, and how to ask first', async () => {
  const [setUp = '', refused = '', ask = ''] = pages.budgets.blocks('js');
  await run(setUp, { claudeMonitor: start });
  const monitor = start({ budgets: [{ usd: 0, per: 'day', of: 'user' }] });
  const sent = jest.fn();
  const client = monitor.observe(new Anthropic({ apiKey: 'test', fetch: sent }));
  const told = refused.replace(/(error\.\w+); \/\/ ('[^']*')/g, 'expect($1).toBe($2); //');
  const showUpgrade = jest.fn();
  const names = { ...given, client, monitor, expect, showUpgrade };
  await monitor.withContext({ userId: 'ada', feature: 'chat' }, async () => {
    await run(told, names);
    await run(ask, names);
    monitor.pause('chat');
    await run(ask, names);
  });
  expect(showUpgrade.mock.calls).toEqual([['2026-11-26T00:00:00.000Z'], [undefined]]);
  expect(sent).not.toHaveBeenCalled();
  expect(await monitor.calls()).toMatchObject({
    calls: [{ outcome: 'blocked', error: { kind: 'spend_limit' } }],
  });
  expect.assertions(7);
});

describe('the rules of docs/alerts.md', () => {
  type Kind = keyof typeof alert;
  const page = pages.alerts;
  const VALUES = { limit: 0.5, limitMs: 1_000, usd: 5, name: 'mine', holds: () => true };
  const rules = page.tableUnder('Rules').map(([signature = '', _number, ...rest]) => {
    const [, kind = '', names = ''] = /^`(\w+)\((.*)\)`$/.exec(signature) ?? [];
    const values = names === '' ? [] : names.split(', ').map((each) => VALUES[each as 'limit']);
    const [severity = '', window = '', minimum = '', options = ''] = rest;
    const build = alert[kind as Kind] as (...args: unknown[]) => core.AlertRule;
    const make = (more: object = {}) => build(...values, more);
    return { kind, make, severity, window, minimum, options };
  });
  const ruleOf = (kind: string) => rules.find((each) => each.kind === kind)!;
  const every = page.tableUnder('Options of every rule');
  const many = page.tableUnder('Options of many');
  const one = page.tableUnder('Options of one');
  const namesIn = (rows: string[][]) => rows.map(([cell]) => spansOf(cell)[0] ?? '');

  it('are those of the code, and each can be had by whoever wants it', () => {
    expect(rules.map(({ kind }) => kind).sort()).toEqual(Object.keys(alert).sort());
    for (const kind of Object.keys(alert)) expect(page.text).toContain(`| \`alert.${kind}(`);
    for (const kind of Object.keys(channel)) expect(page.text).toContain(`| \`channel.${kind}(`);
  });

  it.each(rules)('have the options of the code: $kind', ({ kind, make, options }) => {
    const own = one.filter(([, of]) => spansOf(of).includes(kind));
    const told = new Set([
      ...namesIn(every).filter((name) => !(kind === 'condition' && name === 'name')),
      ...(options.startsWith('all') ? namesIn(many) : spansOf(options)),
      ...namesIn(own),
    ]);
    expect([...told].sort()).toEqual(optionsOf(make));
  });

  it.each(rules)('have the severity, window and minimum of the code: $kind', (row) => {
    const rule = row.make();
    expect(row.severity).toBe(`\`${rule.severity}\``);
    const [window, ...second] = spansOf(row.window);
    const told = second.length === 0 ? { window } : { windows: [window, ...second] };
    expect(row.make(window === undefined ? {} : told)).toEqual(rule);
    expect(window !== undefined).toBe(rule.windowMs > 0 || rule.kind === 'burnRate');
    expect(row.minimum).toMatch(rule.windowMs > 0 ? new RegExp(`^${rule.minCalls} `) : /^–$/);
  });

  it.each(rules)('wait, remind and clear as the page says: $kind', async ({ kind, make }) => {
    const rule = make();
    for (const [name = '', cell] of every.slice(2)) {
      const [usual = '', exception, ...of] = spansOf(cell);
      const value = await valueOf(of.includes(kind) ? exception! : usual);
      expect(make({ [spansOf(name)[0]!]: value })).toEqual(rule);
    }
  });

  const open = one.filter(([, , cell]) => spansOf(cell).length === 0);
  const set = one.filter((row) => !open.includes(row));

  it('are about every budget by default, as the page says', () => {
    expect(open).toEqual([
      ['`budget`', '`budgetAbove`, `burnRate`', 'every budget', expect.any(String)],
    ]);
    expect([alert.budgetAbove(0.8).budget, alert.burnRate().budget]).toEqual([null, null]);
  });

  it.each(set)('are by default what the page says: %s of %s, %s', async (name, of, cell) => {
    const { make } = ruleOf(spansOf(of)[0] ?? '');
    const value = await valueOf(spansOf(cell)[0] ?? '');
    expect(make({ [spansOf(name)[0] ?? '']: value })).toEqual(make());
  });

  it('clear where the page says', () => {
    const [, cell = ''] = many.find(([name]) => name === '`clear`') ?? [];
    const [upper, lower] = [...cell.matchAll(/(\d+) %/g)].map(
      ([, percent]) => Number(percent) / 100,
    );
    const parts = rules
      .filter(({ make }) => optionsOf(make).includes('clear'))
      .map(({ make }) => make())
      .filter(({ limit }) => limit > 0);
    expect(parts).toHaveLength(9);
    for (const { kind, limit, clear } of parts) {
      expect([kind, clear]).toEqual([kind, limit * (kind.endsWith('Below') ? lower! : upper!)]);
    }
    expect(alert.cacheHitRateBelow(0.96).clear).toBe(0.98);
  });

  it('can be told of every channel by its name and severity', () => {
    const rows = page.tableUnder('Channels');
    const makers = Object.entries(channel).map(([kind, make]) => {
      const first = kind === 'log' ? [undefined] : kind === 'callback' ? [() => {}] : [];
      return (wrong: object) => (make as (...args: unknown[]) => unknown)(...first, wrong);
    });
    const common = makers.map(optionsOf).reduce((all, some) => all.filter((x) => some.includes(x)));
    expect(namesIn(rows).sort()).toEqual(common);
    const own = makers.flatMap(optionsOf).filter((name) => !common.includes(name));
    const unnamed = own.filter((name) => !new RegExp(`\\b${name}\\b[:\`]`).test(page.text));
    expect([own.length > 12, unnamed]).toEqual([true, []]);
    expect(channel.callback(() => {})).toMatchObject({ name: 'callback', minSeverity: 'info' });
    expect(rows.find(([name]) => name === '`minSeverity`')?.[1]).toBe("`'info'`");
  });
});

it.each(['express', 'koa', 'nestjs'])('docs/%s.md names every option of a monitor', (name) => {
  const rows = readPage(name).tableUnder('Options');
  const names = rows.map(([cell]) => spansOf(cell)[0]);
  expect(names).toEqual(expect.arrayContaining(Object.keys(monitorRules)));
});
