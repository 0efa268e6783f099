import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createApps, INSTALLED_SDKS, type Apps } from './apps.js';

/**
 * Auto-observation in applications of its own, whatever their module system and version of the SDK.
 */
interface Report {
  readonly requests: number;
  readonly records: readonly { readonly id: string; readonly outcome: string }[];
  readonly early: number;
  readonly unobserved: number;
  readonly notices: readonly string[];
  readonly theirs: number;
  readonly middleware: number;
  readonly answer: string;
  readonly status: number;
  readonly afterSecond: number;
  readonly faults: object;
}

/** Calls of the scenario that the first monitor is there for, its lost one included. */
const CALLS = 11;

let apps: Apps;
beforeAll(() => {
  apps = createApps(join(__dirname, 'instrument', 'scenario.cjs'));
});
afterAll(() => apps.remove());

const ENTRIES = {
  'main.cjs': (options: object, from = '@anthropic-ai/sdk') => `
    const { Anthropic } = require('${from}');
    const core = require('../core.cjs');
    const testing = require('../testing.cjs');
    const run = require('../scenario.cjs');
    run({ Anthropic, core, testing, options: ${JSON.stringify(options)} })
      .then((report) => console.log(JSON.stringify(report)));`,
  'main.mjs': (options: object, from = '@anthropic-ai/sdk') => `
    import { Anthropic } from '${from}';
    import * as core from '../core.mjs';
    import * as testing from '../testing.mjs';
    import run from '../scenario.cjs';
    const options = ${JSON.stringify(options)};
    console.log(JSON.stringify(await run({ Anthropic, core, testing, options })));`,
};

async function start(app: string, entry: keyof typeof ENTRIES, source: string): Promise<Report> {
  return (await apps.run(app, entry, source)) as Report;
}

const MODULES = Object.keys(ENTRIES) as (keyof typeof ENTRIES)[];
const APPS = INSTALLED_SDKS.flatMap(([version, sdk]) =>
  MODULES.map((entry) => [version, entry, sdk] as const),
);

it.each(APPS)(
  'with SDK %s in %s observes every client once, untouched',
  async (version, entry, sdk) => {
    const app = apps.create(`auto-${version}-${entry}`, sdk);
    const report = await start(app, entry, ENTRIES[entry]({ instrument: true }));
    expect(report).toMatchObject({ notices: [], faults: {}, unobserved: 0 });
    expect(new Set(report.records.map(({ id }) => id)).size).toBe(CALLS);
    expect(report.records.filter(({ outcome }) => outcome === 'ok')).toHaveLength(CALLS - 1);
    expect(report.early).toBe(CALLS);
    // The application's own middleware stays, and ours comes after it.
    expect(report).toMatchObject({ theirs: 0, middleware: 2, answer: 'message', status: 200 });
  },
);

it.each(APPS)(
  'with SDK %s in %s goes over to the next monitor when one is closed',
  async (version, entry, sdk) => {
    const app = apps.create(`next-${version}-${entry}`, sdk);
    const report = await start(app, entry, ENTRIES[entry]({ instrument: true }));
    expect(report.afterSecond).toBe(1);
    expect(report.requests).toBe(CALLS + 2);
  },
);

it('leaves clients alone without the option, and counts their calls as unobserved', async () => {
  const app = apps.create('off', INSTALLED_SDKS[0][1]);
  const report = await start(app, 'main.mjs', ENTRIES['main.mjs']({ instrument: false }));
  expect(report).toMatchObject({ records: [], notices: [], middleware: 1 });
  expect(report.unobserved).toBe(CALLS);
});

it('says once that there is no SDK to be found, and the bundled one works unobserved', async () => {
  const app = apps.create('bundled', null);
  apps.bundle(join(INSTALLED_SDKS[0][1], 'index.mjs'), join(app, 'sdk.mjs'), '--format=esm');
  const source = ENTRIES['main.mjs']({ instrument: true }, './sdk.mjs');
  const report = await start(app, 'main.mjs', source);
  expect(report.notices).toEqual([
    'No copy of @anthropic-ai/sdk could be found from here. If your application bundles it, ' +
      'use observe(client).',
  ]);
  expect(report.answer).toBe('message');
});

it('says once that a copy is built in an unknown way, and touches nothing of it', async () => {
  const app = apps.create('unknown', null);
  const sdk = join(app, 'node_modules', '@anthropic-ai', 'sdk');
  mkdirSync(sdk);
  writeFileSync(join(sdk, 'package.json'), '{ "main": "index.js", "version": "9.0.0" }');
  writeFileSync(join(sdk, 'index.js'), 'exports.Anthropic = class { send() {} };');
  const source = `
    const core = require('../core.cjs');
    const notices = [];
    const { Anthropic } = require('@anthropic-ai/sdk');
    const before = Object.getOwnPropertyNames(Anthropic.prototype).join();
    core.createMonitor({ log: false, instrument: true, onNotice: (text) => notices.push(text) });
    const untouched = Object.getOwnPropertyNames(Anthropic.prototype).join() === before;
    console.log(JSON.stringify({ notices, answer: String(untouched) }));`;
  const report = await start(app, 'main.cjs', source);
  expect(report.notices[0]).toMatch(/is built in a way that is not known here/);
  expect(report.answer).toBe('true');
});
