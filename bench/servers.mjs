// Redis and Postgres of a benchmark's own, started from Debian's binaries and gone at its end.
import { execFileSync, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** On a port of its own, without writing to the disk. */
export async function startRedis() {
  const folder = mkdtempSync(join(tmpdir(), 'claude-metrics-redis-'));
  const port = await freePort();
  const args = ['--port', String(port), '--dir', folder, '--bind', '127.0.0.1', '--save', ''];
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  while (!(await answers(port)));
  return { port, stop: () => end(child, 'SIGKILL', folder) };
}

/** On a Unix socket in its folder. */
export async function startPostgres() {
  const [newest] = readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a));
  const bin = join('/usr/lib/postgresql', newest, 'bin');
  const folder = mkdtempSync(join(tmpdir(), 'claude-metrics-pg-'));
  const idOf = (flag) => Number(execFileSync('id', [flag, 'nobody']));
  const user = process.getuid() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {};
  if (user.uid) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  const quiet = { ...user, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] };
  const init = ['-D', data, '-U', 'postgres', '-E', 'UTF8', '--locale=C'];
  execFileSync(join(bin, 'initdb'), init, quiet);
  const args = ['-D', data, '-k', folder, '-c', 'listen_addresses='];
  const child = spawn(join(bin, 'postgres'), args, quiet);
  await new Promise((resolve) => {
    child.stderr.on('data', (chunk) => String(chunk).includes('ready to accept') && resolve());
  });
  return { folder, stop: () => end(child, 'SIGINT', folder) };
}

async function end(child, signal, folder) {
  await new Promise((resolve) => {
    child.once('exit', resolve);
    child.kill(signal);
  });
  rmSync(folder, { recursive: true, force: true });
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => socket.end(() => resolve(true)));
    socket.once('error', () => resolve(false));
  });
}

async function freePort() {
  const probe = createServer();
  await new Promise((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return port;
}
