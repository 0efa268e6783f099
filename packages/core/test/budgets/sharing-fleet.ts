/** Processes that share a budget over a store: they do a wave of calls when they are told to. */
import { execFileSync, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repository } from '../sources.js';
import { ASK, PRICES } from './capture-stage.js';
import type { SharingPlan, SharingTold, Wave } from './sharing-plan.js';

export interface SharingProcess {
  readonly name: string;
  readonly ready: Promise<unknown>;
  /** Calls at once; `null` when it does not live to tell of them. */
  wave(calls: number): Promise<Wave | null>;
  kill(): void;
  /** Lets it close, and waits until it is gone. Gives its exit code. */
  end(): Promise<number | null>;
}

/** Bundles the application; gives its path. */
export function bundleApp(folder: string): string {
  const program = join(folder, 'sharing-app.cjs');
  execFileSync(join(repository, 'node_modules/.bin/esbuild'), [
    ...[join(__dirname, 'sharing-app.ts'), '--bundle', '--platform=node', '--format=cjs'],
    ...['--target=node20', '--log-level=error', `--outfile=${program}`],
    ...['--external:@anthropic-ai/sdk', '--external:ioredis', '--external:pg'],
  ]);
  return program;
}

/** As the processes take it for the present, and stores too; it stands still for them. */
export const AT = Date.now();

export function startProcess(
  program: string,
  given: Pick<SharingPlan, 'name' | 'url' | 'store' | 'budget'> & Partial<SharingPlan>,
): SharingProcess {
  const plan: SharingPlan = {
    ...{ at: AT, ask: ASK, prices: PRICES, leaseMs: 60_000, timeoutMs: 300, patienceMs: 60_000 },
    ...given,
  };
  const child = spawn(process.execPath, [program, JSON.stringify(plan)], {
    cwd: repository,
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, NODE_PATH: join(repository, 'node_modules') },
  });
  child.stdin.on('error', () => undefined);
  const exit = once(child, 'exit') as Promise<[number | null]>;
  const abandon = () => void child.kill('SIGKILL');
  process.once('exit', abandon);
  child.once('exit', () => process.off('exit', abandon));
  const news = new EventEmitter();
  void (async () => {
    for await (const line of createInterface({ input: child.stdout })) {
      const told = JSON.parse(line) as SharingTold;
      if ('wave' in told) news.emit('wave', told.wave);
      else news.emit('ready');
    }
  })();
  return {
    name: plan.name,
    ready: Promise.race([once(news, 'ready'), exit]),
    async wave(calls) {
      child.stdin.write(`${calls}\n`);
      const told = once(news, 'wave') as Promise<[Wave]>;
      return Promise.race([told.then(([wave]) => wave), exit.then(() => null)]);
    },
    kill: abandon,
    async end() {
      child.stdin.write('end\n');
      return (await exit)[0];
    },
  };
}
