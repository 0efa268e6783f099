import { CHECKS, type Diagnosis } from './diagnosis.js';
import { lookAtClock, lookAtMachine, lookAtSnapshot, lookAtStore } from './doctor-figures.js';
import { lookAtProject } from './doctor-project.js';
import { FORMAT_OPTIONS, formatOf, type Arguments } from './arguments.js';
import { EXIT, type Command, type Io } from './command.js';
import { askMount, MOUNT_OPTIONS, snapshotOf } from './mount.js';
import { csvOf, jsonText, objectsOf, oneLine, type Column } from './output.js';
import { STORE_OPTIONS, withStore } from './source.js';

/** What is set up wrongly, as far as it can be seen from here. */
export const doctor: Command = {
  name: 'doctor',
  summary: 'looks for what makes figures wrong: the project, a store, a mount',
  options: { ...STORE_OPTIONS, ...MOUNT_OPTIONS, ...FORMAT_OPTIONS },
  examples: [
    'claude-metrics doctor',
    'claude-metrics doctor --store claude-metrics.db',
    'claude-metrics doctor --mount http://localhost:3000/claude-metrics --token-env TOKEN',
  ],
  about:
    'Looks at the current folder (what is installed, how the sources mount it) and at this machine; ' +
    'with --store at the last 7 days of a store, with --mount at a monitor that runs. It looks for: ' +
    `${CHECKS.join(', ')}. Exits with 1 where it finds something.`,
  async run(args, io) {
    const format = formatOf(args);
    const zone = new Intl.DateTimeFormat('en').resolvedOptions().timeZone;
    const found = [...lookAtProject(io.cwd), ...lookAtMachine(zone, io.env['TZ'])];
    if (['store', 'redis', 'postgres'].some((name) => args.text(name) !== undefined)) {
      found.push(...(await withStore(args, io, (store) => lookAtStore(store, io.now()))));
    }
    if (args.text('mount') !== undefined) found.push(...(await lookAtMount(args, io, zone)));
    if (format === 'csv') io.out(csvOf(COLUMNS, found.map(toRow)));
    else if (format === 'json')
      io.out(jsonText({ findings: objectsOf(COLUMNS, found.map(toRow)) }));
    else print(io, found);
    return found.length === 0 ? EXIT.ok : EXIT.findings;
  },
};

async function lookAtMount(args: Arguments, io: Io, zone: string): Promise<Diagnosis[]> {
  // Without a token first: what answers this answers everybody.
  const { status, body, clock } = await askMount(args, io, '/snapshot', false);
  const isOpen = status === 200 && typeof body === 'object' && body !== null && 'schema' in body;
  const open: Diagnosis = {
    check: 'open mount',
    level: 'problem',
    text: 'the mount answers without a token: whoever reaches it reads what you spend, and on whom.',
    fix: 'Take out authorize: () => true, and set CLAUDE_METRICS_AUTH_TOKEN: docs/security.md.',
  };
  const snapshot = await snapshotOf(args, io);
  return [
    ...(isOpen ? [open] : []),
    ...lookAtClock(clock, io.now()),
    ...lookAtSnapshot(snapshot, io.now(), zone),
  ];
}

const COLUMNS: readonly Column[] = [
  { key: 'level', title: 'level', kind: 'text' },
  { key: 'check', title: 'check', kind: 'text' },
  { key: 'text', title: 'finding', kind: 'text' },
  { key: 'fix', title: 'fix', kind: 'text' },
];

function toRow({ level, check, text, fix }: Diagnosis) {
  return { level, check, text, fix };
}

function print(io: Io, found: readonly Diagnosis[]): void {
  for (const { level, check, text, fix } of found) {
    io.out(`${level}: ${check}\n  ${oneLine(text)}\n  ${oneLine(fix)}\n\n`);
  }
  const count = found.length === 0 ? 'Nothing found' : `${found.length} finding(s)`;
  io.out(`${count}. Looked for: ${CHECKS.join(', ')}.\n`);
}
