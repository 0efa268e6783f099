// Follows every quick start of the README word for word, each in a folder of its own: its commands, its
// file, its request. Only our packages come from here, packed, and Claude is the simulator. Needs a build.
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { check, pack, packages, root, run } from './packages.mjs';

const { createSimulator } = await import('@claude-metrics/testing');
const DEADLINE_MS = 30_000;

await check(async (folder) => {
  const tarballs = packages.map((each) => ({ name: each.name, ...pack(each, folder) }));
  const simulator = await createSimulator();
  const env = {
    ...process.env,
    ANTHROPIC_API_KEY: 'sk-ant-test',
    ANTHROPIC_BASE_URL: simulator.url,
  };
  for (const name of ['NODE_ENV', 'CLAUDE_METRICS_AUTH_TOKEN', 'CI']) delete env[name];
  try {
    const { starts, request } = quickStarts(readFileSync(join(root, 'README.md'), 'utf8'));
    for (const start of starts) await follow(start, request);
  } finally {
    await simulator.close();
  }

  async function follow({ title, install, file, source, commands }, request) {
    const began = performance.now();
    const cwd = join(folder, title);
    mkdirSync(cwd);
    shell(packed(install), { cwd, env });
    writeFileSync(join(cwd, file), source);
    const [start, ...before] = commands.trim().split('\n').reverse();
    for (const command of before.reverse()) shell(command, { cwd, env });
    const [program, ...args] = start.split(' ');
    const server = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    for (const stream of [server.stdout, server.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (printed += text));
    }
    try {
      const address = await until(() => /\/claude-metrics\/\?token=\S+/.exec(printed)?.[0], server);
      await until(() => answers('http://localhost:3000/claude-metrics/'), server);
      // Not in step with us: Claude answers from this process.
      await promisify(execFile)('bash', ['-ec', `${request} --fail --silent`], { cwd, env });
      const token = address.split('token=')[1];
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch('http://localhost:3000/claude-metrics/snapshot', { headers });
      const { totals, byFeature } = await response.json();
      if (totals.calls !== 1 || !(totals.cost.nanoUsd > 0)) {
        throw new Error(`the snapshot has ${JSON.stringify(totals)}`);
      }
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      const cost = `$${totals.cost.nanoUsd / 1e9}`;
      console.log(`✓ ${title}: ${totals.calls} call, ${cost}, ${byFeature[0].key} (${seconds} s)`);
    } catch (error) {
      throw new Error(`quick start of ${title}: ${error.message}\n${printed}`);
    } finally {
      server.kill('SIGKILL');
      if (server.exitCode === null) await new Promise((resolve) => server.once('exit', resolve));
    }
  }

  /** Our packages by their tarballs, with the ones they depend on; nothing of ours is published yet. */
  function packed(command) {
    const core = tarballs.find(({ name }) => name === '@claude-metrics/core').tarball;
    return command.replace(/@claude-metrics\/[a-z]+/, (name) => {
      const { tarball } = tarballs.find((each) => each.name === name);
      return `${core} ${tarball}`;
    });
  }
});

/** The quick starts: what to install, the file to write, what to run; and the request that follows. */
function quickStarts(readme) {
  const section = readme.split('\n## ').find((each) => each.startsWith('Quick start\n'));
  const parts = section.split('\n### ').slice(1);
  const starts = parts.slice(0, -1).map((part) => {
    const [install, source, commands] = fences(part);
    return {
      title: part.split('\n')[0],
      install,
      file: /^\/\/ (\S+)\n/.exec(source)[1],
      source,
      commands,
    };
  });
  const [request] = fences(parts.at(-1));
  if (starts.length !== 3) throw new Error(`expected 3 quick starts, found ${starts.length}`);
  return { starts, request: request.trim() };
}

function fences(text) {
  return [...text.matchAll(/^```\w+\n([\s\S]*?)^```$/gm)].map(([, body]) => body);
}

function shell(command, options) {
  return run(
    'bash',
    ['-ec', command.replaceAll('npm install', 'npm install --no-audit --no-fund')],
    options,
  );
}

async function answers(url) {
  try {
    await fetch(url);
    return true;
  } catch {
    return false;
  }
}

async function until(look, server) {
  const deadline = Date.now() + DEADLINE_MS;
  while (Date.now() < deadline && server.exitCode === null) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(server.exitCode === null ? 'not ready in time' : `ended with ${server.exitCode}`);
}
