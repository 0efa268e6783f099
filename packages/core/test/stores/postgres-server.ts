/**
 * A Postgres of the test's own: started from Debian's binaries, on a Unix socket, gone at the end.
 *
 * Where there are no binaries the tests are skipped, and say why; in CI that is a failure.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pool, type PoolConfig } from 'pg';

const HOME = '/usr/lib/postgresql';

function binaries(): string | null {
  const versions = existsSync(HOME) ? readdirSync(HOME) : [];
  const newest = versions.sort((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? null : join(HOME, newest, 'bin');
}

/** Why the tests cannot be run here, or `null`. */
export const missing = binaries() === null ? `there is no Postgres in ${HOME}` : null;
if (missing !== null && process.env['CI'] === 'true') throw new Error(missing);

/** Skips with the reason in the name. */
export function describePostgres(name: string, body: () => void): void {
  if (missing === null) describe(name, body);
  else describe.skip(`${name} (${missing})`, body);
}

export interface PostgresServer {
  readonly folder: string;
  /** A pool of its own for every caller; all are ended by `stop`. */
  pool(config?: PoolConfig): Pool;
  /** Stops every process of the server where it stands, as a machine that hangs would. */
  pause(): void;
  resume(): void;
  /** Ends the server as a power cut would; `start` starts it again. */
  crash(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** A door to the server that can be shut. */
  door(): Promise<Door>;
}

export interface Door {
  readonly port: number;
  /** Connections are cut when the server has answered this command, before the client hears it. */
  cutAfter(command: string | null): void;
  /** From this answer on nothing passes, and neither side hears that the other is gone. */
  holdAfter(command: string): void;
  /** Cuts all that are open. */
  cut(): void;
}

export interface ServerOptions {
  /** Lines of `pg_hba.conf` that come before "trust everybody". */
  readonly hba?: string;
  /** Settings, with a port of TCP if it is to be reached so. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Called with the folder of the data before the server starts. */
  readonly prepare?: (data: string, owner: Owner) => void;
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export async function startServer(options: ServerOptions = {}): Promise<PostgresServer> {
  const bin = binaries();
  if (bin === null) throw new Error(`no Postgres in ${HOME}`);
  const folder = mkdtempSync(join(tmpdir(), 'claude-metrics-pg-'));
  const root = process.getuid?.() === 0;
  const user: Owner | null = root ? nobody() : null;
  if (user) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'],
    { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const hbaFile = join(data, 'pg_hba.conf');
  writeFileSync(hbaFile, `${options.hba ?? ''}\n${readFileSync(hbaFile, 'utf8')}`);
  options.prepare?.(data, user ?? { uid: process.getuid!(), gid: process.getgid!() });
  const settings = { listen_addresses: '', fsync: 'off', ...options.settings };
  const args = ['-D', data, '-k', folder].concat(
    Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  );
  const sockets = new Set<Socket>();
  const closing: (() => unknown)[] = [];
  const pools: Pool[] = [];
  let child = await launch();
  const abandon = () => void child.kill('SIGQUIT');
  process.once('exit', abandon);

  async function launch(): Promise<ChildProcess> {
    const started = spawn(join(bin!, 'postgres'), args, {
      ...user,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    await new Promise<void>((resolve, reject) => {
      let log = '';
      started.stderr.on('data', (chunk: Buffer) => {
        log += chunk.toString();
        if (log.includes('ready to accept')) resolve();
      });
      started.once('exit', () => reject(new Error(`Postgres did not start: ${log}`)));
    });
    return started;
  }

  function signalAll(signal: NodeJS.Signals): void {
    const pid = String(child.pid);
    const family = execFileSync('ps', ['-o', 'pid=', '--pid', pid, '--ppid', pid]).toString();
    for (const each of family.trim().split(/\s+/)) process.kill(Number(each), signal);
  }

  return {
    folder,
    pool(config = {}) {
      const pool = new Pool({ host: folder, user: 'postgres', database: 'postgres', ...config });
      // As every application has to: an idle connection that breaks is an event.
      pool.on('error', () => undefined);
      pools.push(pool);
      return pool;
    },
    pause: () => signalAll('SIGSTOP'),
    resume: () => signalAll('SIGCONT'),
    crash: () => ended(child, 'SIGQUIT'),
    async start() {
      child = await launch();
    },
    async stop() {
      await Promise.all(pools.filter((pool) => !pool.ended).map((pool) => pool.end()));
      for (const close of closing) await close();
      process.off('exit', abandon);
      await ended(child, 'SIGQUIT');
      rmSync(folder, { recursive: true, force: true });
    },
    async door() {
      const socketPath = join(folder, `.s.PGSQL.${options.settings?.['port'] ?? 5432}`);
      let command: string | null = null;
      let last: string | null = null;
      let holds = false;
      const cut = () => {
        for (const socket of sockets) socket.destroy();
        sockets.clear();
      };
      const door = createServer((client) => {
        const upstream = createConnection(socketPath);
        for (const socket of [client, upstream]) {
          sockets.add(socket);
          const end = () => holds || (client.destroy(), upstream.destroy());
          socket.on('error', end).on('close', end);
        }
        client.on('data', (chunk: Buffer) => holds || upstream.write(chunk));
        upstream.on('data', (chunk: Buffer) => {
          // CommandComplete: 'C', four bytes of length, the command as a C string.
          if (last !== null && chunk.includes(`${last}\0`)) holds = true;
          if (holds) return;
          if (command !== null && chunk.includes(`${command}\0`)) cut();
          else client.write(chunk);
        });
      });
      await new Promise<void>((resolve) => door.listen(0, '127.0.0.1', resolve));
      closing.push(() => {
        cut();
        return new Promise((resolve) => door.close(resolve));
      });
      const { port } = door.address() as AddressInfo;
      return {
        port,
        cut,
        cutAfter: (wanted) => void (command = wanted),
        holdAfter: (wanted) => void (last = wanted),
      };
    },
  };
}

async function ended(process: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (process.exitCode !== null || process.signalCode !== null) return;
  await new Promise<void>((resolve) => {
    process.once('exit', () => resolve());
    process.kill(signal);
  });
}

/** Postgres does not run as root. */
function nobody(): Owner {
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'nobody']).toString());
  return { uid: idOf('-u'), gid: idOf('-g') };
}
