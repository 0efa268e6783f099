import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Diagnosis } from './diagnosis.js';

/**
 * A look at the folder of an application: what is installed, and how the sources put it together. It
 * reads; nothing is run. Sources are looked at as text, so it finds what is written plainly, and no more.
 */
const MAX_FILES = 3_000;
const MAX_BYTES = 1_000_000;
const MAX_DEPTH = 12;
const SOURCE = /\.[cm]?[jt]sx?$/;
const SKIPPED = new Set([
  'node_modules',
  'dist',
  'build',
  'coverage',
  '.git',
  '.next',
  'test',
  'tests',
]);
const OURS = ['core', 'express', 'koa', 'nestjs'].map((name) => `@claude-metrics/${name}`);
const MIDDLEWARE_SINCE = [0, 103];

/** Packages that watch the SDK, too. Two views of a call are fine; two who change its client may not be. */
const OTHERS = [
  ...['@traceloop/instrumentation-anthropic', '@arizeai/openinference-instrumentation-anthropic'],
  ...['@posthog/ai', 'langsmith', 'dd-trace', '@sentry/node', '@langfuse/anthropic'],
];

/** A setup that is written down: a mount, and how it was made. */
const SETUP = /\b(?:claudeMonitor|createMonitor)\s*\(|\bClaudeMetricsModule\s*\.\s*forRoot/g;
const ROUTE = /\b(?:app|router|server)\s*\.\s*(?:get|post|put|patch|delete|all)\s*\(\s*['"`]\//;
const MOUNTED = /\bapp\s*\.\s*use\s*\(\s*claudeMonitor\s*\(/;

export function lookAtProject(cwd: string): Diagnosis[] {
  return [...lookAtInstalled(cwd), ...lookAtSources(cwd)];
}

function lookAtInstalled(cwd: string): Diagnosis[] {
  const found: Diagnosis[] = [];
  const sdk = versionOf(cwd, '@anthropic-ai/sdk');
  const [major = 0, minor = 0] = (sdk ?? '').split('.').map(Number);
  const [, least = 0] = MIDDLEWARE_SINCE;
  if (sdk !== null && major === 0 && minor < least) {
    found.push({
      check: 'unobserved clients',
      level: 'problem',
      text: `@anthropic-ai/sdk ${sdk} is installed, whose clients cannot be observed.`,
      fix: 'npm install @anthropic-ai/sdk@latest (0.103 or later)',
    });
  }
  for (const name of OURS) {
    const copies = copiesOf(cwd, name);
    const versions = [...new Set(copies.map(({ version }) => version))];
    if (versions.length > 1) {
      found.push({
        check: 'double instrumentation',
        level: 'warning',
        text: `${name} is installed in ${versions.length} versions: ${versions.sort().join(', ')}.`,
        fix: 'npm dedupe, and use the same version of every @claude-metrics package.',
      });
    }
  }
  const others = OTHERS.filter((name) => versionOf(cwd, name) !== null);
  if (others.length > 0) {
    found.push({
      check: 'double instrumentation',
      level: 'warning',
      text: `${others.join(', ')} can watch the same clients.`,
      fix: 'Switch its Anthropic integration off, or be sure that only one of the two is billed by.',
    });
  }
  return found;
}

function lookAtSources(cwd: string): Diagnosis[] {
  const found: Diagnosis[] = [];
  let setups = 0;
  let forks = false;
  let shares = false;
  for (const file of sourcesIn(cwd)) {
    const text = readFileSync(file, 'utf8').replace(/\/\*[^]*?\*\/|(^|\s)\/\/.*$/gm, '$1');
    const name = relative(cwd, file);
    setups += [...text.matchAll(SETUP)].length;
    forks ||=
      /\bcluster\s*\.\s*fork\s*\(|exec_mode\s*:\s*['"]cluster|instances\s*:\s*(?:[2-9]|['"]max|-1)/.test(
        text,
      );
    shares ||= /\bstore\s*:/.test(text);
    const mounted = text.search(MOUNTED);
    const route = text.search(ROUTE);
    if (mounted >= 0 && route >= 0 && route < mounted) {
      found.push({
        check: 'middleware order',
        level: 'problem',
        text: `${name} has routes before app.use(claudeMonitor()): their calls have no user or feature.`,
        fix: 'Mount claudeMonitor() before the first route.',
      });
    }
    if (/middleware\s*:\s*\[[^\]]*\bmonitor\.middleware\([^)]*\)\s*,\s*[^\s\]]/.test(text)) {
      found.push({
        check: 'middleware order',
        level: 'warning',
        text: `${name} has monitor.middleware() before another middleware of the client.`,
        fix: 'Put it last, so that it sees every request that is billed.',
      });
    }
  }
  if (setups > 1) {
    found.push({
      check: 'double instrumentation',
      level: 'warning',
      text: `monitors are set up in ${setups} places; a client belongs to the first that finds it.`,
      fix: 'Make one monitor, and hand it to the others: claudeMonitor({ monitor }).',
    });
  }
  if (forks && setups > 0 && !shares) found.push(WORKERS);
  return found;
}

const WORKERS: Diagnosis = {
  check: 'workers',
  level: 'problem',
  text: 'several processes are started, and no store is shared: each has its own figures and limits.',
  fix: 'Give all of them one store: docs/cluster.md.',
};

function versionOf(folder: string, name: string): string | null {
  try {
    const file = join(folder, 'node_modules', name, 'package.json');
    const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version?: unknown };
    return typeof version === 'string' ? version.slice(0, 40) : null;
  } catch {
    return null;
  }
}

/** The copy of the application, and those that its own dependencies have for themselves. */
function copiesOf(cwd: string, name: string): { readonly version: string }[] {
  const folders = [cwd, ...OURS.map((each) => join(cwd, 'node_modules', each))];
  return folders.flatMap((folder) => {
    const version = versionOf(folder, name);
    return version === null ? [] : [{ version }];
  });
}

function* sourcesIn(cwd: string): Generator<string> {
  let left = MAX_FILES;
  const folders: { readonly path: string; readonly depth: number }[] = [{ path: cwd, depth: 0 }];
  for (let folder = folders.pop(); folder !== undefined && left > 0; folder = folders.pop()) {
    if (!existsSync(folder.path)) continue;
    for (const entry of readdirSync(folder.path, { withFileTypes: true })) {
      const path = join(folder.path, entry.name);
      if (entry.isDirectory() && !SKIPPED.has(entry.name) && folder.depth < MAX_DEPTH) {
        folders.push({ path, depth: folder.depth + 1 });
      } else if (entry.isFile() && SOURCE.test(entry.name) && statSync(path).size <= MAX_BYTES) {
        left -= 1;
        if (left >= 0) yield path;
      }
    }
  }
}
