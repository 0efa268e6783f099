/**
 * The shape of the sources, checked on their syntax trees: imports only go down the layers, nothing
 * imports in a circle, and every package keeps to its side of the border. Type imports count too.
 */
import { posix } from 'node:path';
import { parseAll, sourcesOf, type Sources } from './sources.js';

interface Layer {
  /** Module names; `folder/*` takes every module of a folder that has no place of its own. */
  readonly modules: readonly string[];
  /** The layers it may import from. */
  readonly below: readonly number[];
  /** Who may import whom inside the layer. Circles are never allowed. */
  readonly inside: 'any' | 'left to right' | 'same folder';
}

const WORDS = 0;
const FACTS = 1;
const INTAKE = 2;
const STATE = 3;
const EDGES = 4;
const WHOLE = 5;

const LAYERS: readonly Layer[] = [
  {
    modules: [
      ...['record', 'alert', 'budget', 'status', 'clock'],
      ...['stores/store', 'stores/budget-store'],
    ],
    below: [],
    inside: 'any',
  },
  {
    // facts
    modules: [
      ...[
        'health',
        'options',
        'scope',
        'context',
        'trace',
        'request',
        'retry',
        'logger',
        'wording',
      ],
      ...['scrub', 'fault-text', 'error-facts', 'error-kinds', 'errors', 'people'],
      ...['usage', 'prices', 'price-input', 'rates', 'registry', 'pricing'],
      ...['sketch', 'distinct', 'slots', 'cell', 'sample', 'bucket', 'local-time'],
      ...['period', 'models', 'json-bytes', 'content-size', 'request-size', 'worst-case'],
      ...['balance', 'exchange', 'budget-error', 'gate'],
      ...[
        'freeze',
        'erased',
        'call-page',
        'call-queue',
        'rate-limit',
        'cell-data',
        'workers',
        'deadline',
      ],
    ],
    below: [WORDS],
    inside: 'any',
  },
  {
    // intake
    modules: [
      ...[
        'deltas',
        'held',
        'stream',
        'call',
        'call-span',
        'call-usage',
        'calls',
        'admission',
        'pass-through',
        'body',
        'reading',
        'batches',
      ],
      ...['middleware', 'capture', 'instrument', 'unobserved'],
    ],
    below: [WORDS, FACTS],
    inside: 'any',
  },
  {
    // state
    modules: [
      ...['pending', 'ledger', 'feedback', 'trackers/*', 'window', 'totals', 'series'],
      ...['usage-report', 'snapshot'],
      ...['budgets/*', 'alerts/*'],
    ],
    below: [WORDS, FACTS],
    inside: 'left to right',
  },
  // edges; they may know the Snapshot type too
  {
    modules: [
      ...['stores/*', 'stores/sqlite/*', 'stores/redis/*', 'stores/postgres/*'],
      ...['exporters/*', 'exporters/otel/*', 'exporters/prometheus/*', 'notify/*'],
    ],
    below: [WORDS, FACTS],
    inside: 'same folder',
  },
  {
    // the whole
    modules: [
      'import',
      'forgetting',
      'signals',
      'usage-options',
      'monitor-options',
      'monitor-api',
      'store-option',
      'sinks',
      'log-sinks',
      'call-pricing',
      'monitor',
      'default',
      'http/*',
      'http',
      'adapter',
      'index',
    ],
    below: [WORDS, FACTS, INTAKE, STATE, EDGES],
    inside: 'any',
  },
  // the command line: a process of its own, that nothing else knows of
  {
    modules: ['cli/*', 'cli'],
    below: [WORDS, FACTS, INTAKE, STATE, EDGES, WHOLE],
    inside: 'any',
  },
];

const MAX_LINES = 250;
/** Longer on purpose, with the reason. */
const LONG: Readonly<Record<string, string>> = {
  'core/prices': 'data: every price by date',
  'core/record': 'type declarations: the words of the system, to be read in one go',
};

const PACKAGES = ['core', 'express', 'koa', 'nestjs', 'testing'] as const;
const sources = {
  core: sourcesOf('core'),
  express: sourcesOf('express'),
  koa: sourcesOf('koa'),
  nestjs: sourcesOf('nestjs'),
  testing: sourcesOf('testing'),
};

describe('layers of core', () => {
  it('only import downwards', () => {
    expect(layerFaults(sources.core)).toEqual([]);
  });

  it('would tell an import upwards, sideways, of a stranger, and of a type', () => {
    const broken = parseAll({
      record: `import type { Health } from './health.js';`,
      health: `type Monitor = import('./monitor.js').Monitor;`,
      capture: `export { ledger } from './ledger.js';`,
      ledger: `export * from './snapshot.js';`,
      snapshot: `import './ledger.js';`,
      monitor: `import './manager.js';`,
      manager: '',
      'exporters/json': `import { type Snapshot } from '../snapshot.js';`,
      'stores/memory': `import { snapshot } from '../snapshot.js';
        import '../exporters/json.js';
        import './calls.js';`,
      'stores/calls': `const later = () => import('../http/page.js');`,
      'http/page': '',
    });
    expect(layerFaults(broken)).toEqual([
      'manager has no layer',
      'record (layer 0) → health (layer 1)',
      'health (layer 1) → monitor (layer 5)',
      'capture (layer 2) → ledger (layer 3)',
      'ledger (layer 3) → snapshot (layer 3)',
      'stores/memory (layer 4) → snapshot (layer 3)',
      'stores/memory (layer 4) → exporters/json (layer 4)',
      'stores/calls (layer 4) → http/page (layer 5)',
    ]);
  });
});

describe('imports', () => {
  it.each(PACKAGES)('of %s never run in a circle', (name) => {
    expect(circles(sources[name])).toEqual([]);
  });

  it('would tell a circle, also of types', () => {
    const broken = parseAll({
      index: `import './http/routes.js';`,
      'http/routes': `import { describe } from './openapi.js';`,
      'http/openapi': `import type { Route } from './routes.js';`,
    });
    expect(circles(broken)).toEqual(['http/routes → http/openapi → http/routes']);
  });

  it.each(PACKAGES)('of %s exist', (name) => {
    const missing = edgesOf(sources[name]).filter(({ target }) => !sources[name].has(target));
    expect(missing).toEqual([]);
  });

  it('of core and testing from outside are built into Node, but for the calendar', () => {
    expect(foreignTo(sources.core)).toEqual(['period imports temporal-polyfill']);
    expect(foreignTo(sources.testing)).toEqual([]);
  });

  it.each([
    ['express', ['express']],
    ['koa', ['koa']],
    [
      'nestjs',
      [
        ...['@nestjs/common', '@nestjs/core', '@nestjs/terminus', 'rxjs', 'reflect-metadata'],
        '@anthropic-ai/sdk',
      ],
    ],
  ] as const)('of %s from outside are core and its framework', (name, framework) => {
    expect(foreignTo(sources[name], ['@claude-metrics/core', ...framework])).toEqual([]);
  });

  it.each(['express', 'koa', 'nestjs'] as const)('of %s from core are public names', (name) => {
    const known = new Set(sources.core.get('index')?.exports);
    const used = [...sources[name].values()]
      .flatMap((source) => source.imports)
      .filter(({ from }) => from === '@claude-metrics/core')
      .flatMap(({ names }) => names);
    expect(used).not.toEqual([]);
    expect(used.filter((each) => !known.has(each))).toEqual([]);
  });
});

describe('sources', () => {
  it.each(PACKAGES)('of %s load as ESM and as CommonJS, and run no text as code', (name) => {
    const found = [...sources[name]].flatMap(([module, { forbidden }]) =>
      forbidden.map((what) => `${module}: ${what}`),
    );
    expect(found).toEqual([]);
  });

  it('would tell what cannot be published', () => {
    const broken = parseAll({
      index: `export default await fetch(import.meta.url);
        const wait = async () => { await null; };
        eval('1'); new Function('return 1');`,
    });
    expect([...(broken.get('index')?.forbidden ?? [])].sort()).toEqual([
      'Function()',
      'default export',
      'eval()',
      'import.meta',
      'top-level await',
    ]);
  });

  it(`have at most ${MAX_LINES} lines, or a reason`, () => {
    const long = PACKAGES.flatMap((name) =>
      [...sources[name]]
        .filter(([module, { lines }]) => lines > MAX_LINES && !LONG[`${name}/${module}`])
        .map(([module, { lines }]) => `${name}/${module}: ${lines} lines`),
    );
    expect(long).toEqual([]);
  });
});

/** The imports inside a package, as module → module. */
function edgesOf(of: Sources) {
  return [...of].flatMap(([module, source]) =>
    source.imports
      .filter(({ from }) => from.startsWith('.'))
      .map(({ from, typeOnly }) => ({
        module,
        target: posix.join(posix.dirname(module), from).replace(/\.js$/, ''),
        typeOnly,
      })),
  );
}

function placeOf(module: string) {
  for (const wanted of [module, `${posix.dirname(module)}/*`]) {
    for (const [layer, { modules }] of LAYERS.entries()) {
      const at = modules.indexOf(wanted);
      if (at !== -1) return { layer, at };
    }
  }
  return null;
}

function layerFaults(of: Sources): string[] {
  const strangers = [...of.keys()].filter((module) => !placeOf(module));
  const wrong = edgesOf(of).flatMap((edge) => {
    const from = placeOf(edge.module);
    const to = placeOf(edge.target);
    if (!from || !to || mayImport(edge, from, to)) return [];
    return [`${edge.module} (layer ${from.layer}) → ${edge.target} (layer ${to.layer})`];
  });
  return [...strangers.map((module) => `${module} has no layer`), ...wrong];
}

type Edge = ReturnType<typeof edgesOf>[number];
type Place = NonNullable<ReturnType<typeof placeOf>>;

function mayImport({ module, target, typeOnly }: Edge, from: Place, to: Place): boolean {
  const layer = LAYERS[from.layer];
  if (from.layer === EDGES && target === 'snapshot' && typeOnly) return true;
  if (from.layer !== to.layer) return layer?.below.includes(to.layer) ?? false;
  if (layer?.inside === 'left to right') return to.at <= from.at;
  // `stores/sqlite` may use what is in `stores/sqlite/`, and that what is beside it, but not the reverse.
  if (layer?.inside === 'same folder') {
    const folder = posix.dirname(target);
    return folder === posix.dirname(module) || folder === module;
  }
  return true;
}

function circles(of: Sources): string[] {
  const targets = new Map([...of.keys()].map((module) => [module, [] as string[]]));
  for (const { module, target } of edgesOf(of)) targets.get(module)?.push(target);
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (module: string, path: readonly string[]): void => {
    const at = path.indexOf(module);
    if (at !== -1) found.push([...path.slice(at), module].join(' → '));
    if (at !== -1 || done.has(module)) return;
    for (const target of targets.get(module) ?? []) visit(target, [...path, module]);
    done.add(module);
  };
  for (const module of of.keys()) visit(module, []);
  return found;
}

function foreignTo(of: Sources, allowed: readonly string[] = []): string[] {
  return [...of].flatMap(([module, source]) =>
    source.imports
      .filter(({ from }) => !from.startsWith('.') && !from.startsWith('node:'))
      .filter(({ from }) => !allowed.includes(from))
      .map(({ from }) => `${module} imports ${from}`),
  );
}
