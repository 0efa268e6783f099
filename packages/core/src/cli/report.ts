import { show } from '../options.js';
import {
  BY,
  familyOf,
  sorted,
  spendingIn,
  spendingOf,
  sumOf,
  type By,
  type Spending,
} from './report-rows.js';
import {
  DAY_MS,
  FORMAT_OPTIONS,
  formatOf,
  SPAN_OPTIONS,
  spanOf,
  zoneOf,
  type Arguments,
  type Span,
} from './arguments.js';
import { EXIT, wrong, type Command, type Io } from './command.js';
import { MOUNT_OPTIONS, snapshotOf } from './mount.js';
import { csvOf, jsonText, moneyOf, objectsOf, tableOf, type Column, type Row } from './output.js';
import { chosenOf, STORE_OPTIONS, withStore } from './source.js';

const MAX_MOUNT_DAYS = 62;

/** What was spent, from a store or from a monitor that runs. */
export const report: Command = {
  name: 'report',
  summary: 'what was spent, by user, feature, model or day',
  options: {
    ...STORE_OPTIONS,
    ...MOUNT_OPTIONS,
    by: {
      type: 'string',
      value: 'names',
      help: `of ${BY.join(', ')}; several with a comma (model)`,
    },
    ...SPAN_OPTIONS,
    zone: { type: 'string', value: 'zone', help: 'time zone of days (UTC)' },
    top: { type: 'string', value: 'n', help: 'rows of the table; the rest is one row (30)' },
    ...FORMAT_OPTIONS,
  },
  examples: [
    'claude-metrics report --store claude-metrics.db --by feature --range 7d',
    'claude-metrics report --store claude-metrics.db --by day,model --from 2026-11-01 --csv',
    'claude-metrics report --mount http://localhost:3000/claude-metrics --token-env TOKEN',
  ],
  about:
    'Sums what the ledger has, exactly. The span is widened to quarters of an hour, the width of ' +
    'the buckets of history; without one it is the last 7 days. JSON and CSV have every row.',
  async run(args, io) {
    const kind = chosenOf(args, ['store', 'redis', 'postgres', 'mount']);
    const by = byOf(args);
    const format = formatOf(args);
    const top = topOf(args);
    const zone = zoneOf(args);
    const span = spanOf(args, io.now(), 7 * DAY_MS);
    const rows =
      kind === 'mount'
        ? await fromMount(args, io, span, by)
        : await withStore(args, io, (store) => spendingIn(store, span, by, zone));
    print({ args, io, span, by, zone }, rows, format, top);
    return EXIT.ok;
  },
};

interface Asked {
  readonly args: Arguments;
  readonly io: Io;
  readonly span: Span;
  readonly by: readonly By[];
  readonly zone: string;
}

async function fromMount(
  args: Arguments,
  io: Io,
  span: Span,
  by: readonly By[],
): Promise<Spending[]> {
  const names = by.filter((each) => each !== 'day');
  if (names.length > 1) {
    wrong(
      'report',
      `a mount tells one name at a time, got --by ${by.join(',')}; read the store instead.`,
    );
  }
  if (zoneOf(args) !== 'UTC')
    wrong('report', '--zone needs a store; a mount is asked by days of UTC.');
  const [name] = names as Exclude<By, 'day'>[];
  const rows: Spending[] = [];
  for (const part of by.includes('day') ? daysOf(span) : [span]) {
    const snapshot = await snapshotOf(args, io, part);
    const day = by.includes('day') ? [new Date(part.from).toISOString().slice(0, 10)] : [];
    const lists = { user: snapshot.byUser, feature: snapshot.byFeature, model: snapshot.byModel };
    const groups = name === undefined ? [snapshot.totals] : lists[name];
    if (name !== undefined && snapshot.notKept.includes(name)) {
      wrong('report', `the monitor cannot tell spending by ${name}.`);
    }
    const some = spendingOf(groups, day).filter(({ calls }) => calls > 0);
    rows.push(...some.map((row) => ordered(row, by, name)));
  }
  return sorted(rows, by);
}

/** A mount's rows are day first. */
function ordered(row: Spending, by: readonly By[], name: By | undefined): Spending {
  if (by.length < 2 || by[0] === 'day' || name === undefined) return row;
  return { ...row, names: [...row.names].reverse() };
}

function daysOf({ from, to }: Span): Span[] {
  const days: Span[] = [];
  for (let at = from; at < to; at = (Math.floor(at / DAY_MS) + 1) * DAY_MS) {
    days.push({ from: at, to: Math.min(to, (Math.floor(at / DAY_MS) + 1) * DAY_MS) });
  }
  if (days.length <= MAX_MOUNT_DAYS) return days;
  return wrong(
    'report',
    `a mount is asked for at most ${MAX_MOUNT_DAYS} days; read the store instead.`,
  );
}

function print({ io, span, by, zone }: Asked, rows: Spending[], format: string, top: number): void {
  const all = sumOf(
    rows,
    by.map((_, i) => (i === 0 ? 'total' : '')),
  );
  const columns: Column[] = [
    ...by.map((each): Column => ({ key: each, title: each, kind: 'text' })),
    ...FIGURES,
  ];
  const row = (each: Spending): Row => toRow(each, by, all.nanoUsd);
  const { from, to } = {
    from: new Date(span.from).toISOString(),
    to: new Date(span.to).toISOString(),
  };
  if (format === 'csv') return io.out(csvOf(columns, rows.map(row)));
  if (format === 'json') {
    const { calls, unpriced, nanoUsd } = all;
    const total = { calls, unpriced, cost: moneyOf(nanoUsd) };
    return io.out(jsonText({ from, to, zone, by, rows: objectsOf(columns, rows.map(row)), total }));
  }
  const rest = rows.slice(top);
  const others = by.map((_, i) => (i === 0 ? `(${rest.length} more)` : ''));
  const shown = [...rows.slice(0, top), ...(rest.length > 0 ? [sumOf(rest, others)] : []), all];
  io.out(`${from} to ${to}\n\n${tableOf(columns, shown.map(row))}`);
  if (all.unpriced !== 0) {
    const some = all.unpriced ?? 'Some';
    io.out(`\n${some} calls had no price when they were recorded: the costs are "at least".\n`);
  }
}

const FIGURES: readonly Column[] = [
  { key: 'calls', title: 'calls', kind: 'count' },
  { key: 'input', title: 'input tokens', kind: 'count' },
  { key: 'output', title: 'output tokens', kind: 'count' },
  { key: 'unpriced', title: 'unpriced', kind: 'count' },
  { key: 'estimated', title: 'estimated', kind: 'money' },
  { key: 'cost', title: 'cost', kind: 'money' },
  { key: 'share', title: 'share', kind: 'percent' },
];

function toRow(row: Spending, by: readonly By[], whole: bigint): Row {
  const { calls, input, output, unpriced, estimatedNanoUsd: estimated, nanoUsd: cost } = row;
  const share = whole === 0n ? null : Number((cost * 1_000_000n) / whole) / 1_000_000;
  const names = Object.fromEntries(by.map((each, i) => [each, row.names[i] ?? '']));
  return { ...names, calls, input, output, unpriced, estimated, cost, share };
}

function byOf(args: Arguments): By[] {
  const names = (args.text('by') ?? 'model').split(',').map((each) => each.trim());
  const unknown = names.find((each) => !BY.includes(each as By));
  const twice = new Set(names).size !== names.length;
  if (unknown !== undefined || twice) {
    wrong('report', `--by must be of ${BY.join(', ')}, each once, got ${show(args.text('by'))}.`);
  }
  if (familyOf(names as By[]) !== null) return names as By[];
  return wrong(
    'report',
    '--by: user, feature and model are kept in pairs; leave one of the three out.',
  );
}

function topOf(args: Arguments): number {
  const text = args.text('top') ?? '30';
  const top = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  return top > 0 ? top : wrong('report', `--top must be a number from 1 on, got ${show(text)}.`);
}
