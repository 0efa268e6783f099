/** Starts a fleet, lets faults befall it while it works, and says what each process lived to do. */
import { execFileSync, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createSimulator } from '@claude-metrics/testing';
import { drawFrom } from './budgets/draw.js';
import { createBill, type Bill } from './ledger-fleet-bill.js';
import {
  ENDS,
  PROCESSES,
  SEED,
  type AppPlan,
  type End,
  type Sums,
  type Told,
} from './ledger-fleet-plan.js';
import type { FleetStore, Weather } from './ledger-fleet-stores.js';

const root = join(__dirname, '../../..');

/** What a process has told. */
export interface Life {
  readonly name: string;
  /** Sums of batches that it has brought, by the batch's name, and how often it has. */
  readonly brought: Map<string, { readonly sums: Sums; times: number }>;
  /** Batches that its ledger has heard to be in the store. */
  readonly had: Set<string>;
  /** Merges that failed, and those of them since the last that did not. */
  failures: number;
  failuresInARow: number;
  /** Why merges failed, and how often. */
  readonly reasons: Map<string, number>;
  /** Its last words; `null` when it was killed. */
  end: End | null;
  readonly exit: Promise<unknown[]>;
}

export interface Fleet {
  readonly lives: readonly Life[];
  readonly bill: Bill;
  /** What snapshots showed, and how many calls there were at most at that time. */
  readonly looks: { readonly seen: number; readonly most: number }[];
  readonly looksFailed: number;
}

interface App extends Life {
  send(line: string): void;
  kill(): void;
  /** Resolves when it has told this, or is gone. */
  heard(what: string): Promise<void>;
}

export async function runFleet(store: FleetStore): Promise<Fleet> {
  const folder = mkdtempSync(join(tmpdir(), 'claude-metrics-fleet-'));
  const program = join(folder, 'app.cjs');
  execFileSync(join(root, 'node_modules/.bin/esbuild'), [
    ...[join(__dirname, 'ledger-fleet-app.ts'), '--bundle', '--platform=node', '--format=cjs'],
    ...['--target=node20', '--log-level=error', `--outfile=${program}`],
    ...['--external:@anthropic-ai/sdk', '--external:ioredis', '--external:pg'],
  ]);
  const kills = killsOf(store);
  const apps: App[] = [];
  const bill = createBill(SEED, (process, calls) => {
    if (kills.get(process) === calls) apps.find(({ name }) => name === process)?.kill();
  });
  const simulator = await createSimulator({ respond: bill.respond });
  const looks: Fleet['looks'] = [];
  const news = new EventEmitter().setMaxListeners(0);
  let looksFailed = 0;

  function hear(told: Told): void {
    for (const what of Object.keys(told)) news.emit(what);
    if (!('seen' in told)) return;
    if (told.seen === null) looksFailed += 1;
    else looks.push({ seen: told.seen, most: bill.calls() });
  }

  /** Until somebody tells it, or `over` is. */
  const until = async (what: 'brings' | 'failed', over: Promise<unknown>): Promise<void> => {
    await Promise.race([once(news, what), over]);
  };

  try {
    for (let i = 1; i <= PROCESSES; i += 1) {
      const plan = { name: `p${i}`, url: simulator.url, store: store.plan };
      apps.push(startApp(program, plan, hear));
    }
    await Promise.all(apps.map(({ heard }) => heard('ready')));
    for (const [phase, end] of ENDS.entries()) {
      const reached = Promise.all(apps.map(({ heard }) => heard('reached')));
      for (const app of apps) app.send(String(end));
      const fault = store.faults[phase % (store.faults.length + 1)];
      const weather: Weather = {
        brought: () => until('brings', reached),
        failed: () => until('failed', reached),
      };
      await weather.brought();
      await fault?.run(weather);
      await reached;
    }
    for (const app of apps) app.send('end');
    await Promise.all(apps.map(({ exit }) => exit));
    return { lives: apps, bill, looks, looksFailed };
  } finally {
    for (const app of apps) app.kill();
    await simulator.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Two processes, and the request at which each is killed: while all is well, and in a stop of the store. */
function killsOf({ faults }: FleetStore): ReadonlyMap<string, number> {
  const chance = drawFrom(SEED + 1);
  const first = chance(PROCESSES - 1);
  const second = (first + 1 + chance(PROCESSES - 2)) % (PROCESSES - 1);
  const within = (phase: number) => {
    const begin = ENDS[phase - 1] ?? 0;
    return begin + 1 + chance(ENDS[phase]! - begin);
  };
  // The first process, which looks at the page, is never killed.
  return new Map([
    [`p${2 + first}`, within(faults.length)],
    [`p${2 + second}`, within(faults.findIndex(({ name }) => name.includes('stopped')))],
  ]);
}

function startApp(program: string, plan: AppPlan, hear: (told: Told) => void): App {
  const child = spawn(process.execPath, [program, JSON.stringify(plan)], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_PATH: join(root, 'node_modules') },
  });
  child.stdin.on('error', () => undefined);
  const exit = once(child, 'exit');
  const abandon = () => void child.kill('SIGKILL');
  process.once('exit', abandon);
  child.once('exit', () => process.off('exit', abandon));
  const waiting = new Map<string, () => void>();
  const app: App = {
    name: plan.name,
    ...{
      brought: new Map(),
      had: new Set(),
      reasons: new Map(),
      failures: 0,
      failuresInARow: 0,
      end: null,
    },
    ...{ exit: Promise.all([exit, read()]).then(([codes]) => codes) },
    send: (line) => void child.stdin.write(`${line}\n`),
    kill: abandon,
    heard: (what) =>
      Promise.race([
        exit.then(() => undefined),
        new Promise<void>((resolve) => void waiting.set(what, resolve)),
      ]),
  };

  async function read(): Promise<void> {
    for await (const line of createInterface({ input: child.stdout })) {
      const told = JSON.parse(line) as Told;
      note(told);
      for (const what of Object.keys(told)) waiting.get(what)?.();
      hear(told);
    }
  }

  function note(told: Told): void {
    if ('brings' in told) {
      const times = (app.brought.get(told.brings)?.times ?? 0) + 1;
      app.brought.set(told.brings, { sums: told.sums, times });
    } else if ('has' in told) {
      app.had.add(told.has);
      app.failuresInARow = 0;
    } else if ('failed' in told) {
      app.failures += 1;
      app.failuresInARow += 1;
      app.reasons.set(told.why, (app.reasons.get(told.why) ?? 0) + 1);
    } else if ('end' in told) app.end = told.end;
  }
  return app;
}
