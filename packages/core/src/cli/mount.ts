import { wrong, type Io } from './command.js';
import { reasonOf } from './source.js';
import type { Arguments, OptionSpecs, Span } from './arguments.js';
import type { Snapshot } from '../snapshot.js';

/** A monitor that runs somewhere, asked over HTTP. The token is read from the environment, and never shown. */
export const MOUNT_OPTIONS: OptionSpecs = {
  mount: { type: 'string', value: 'url', help: 'where a running monitor is mounted' },
  'token-env': {
    type: 'string',
    value: 'NAME',
    help: 'the variable that holds its token (CLAUDE_METRICS_AUTH_TOKEN)',
  },
};

const TIMEOUT_MS = 15_000;
const MAX_BYTES = 32_000_000;

export interface MountAnswer {
  readonly status: number;
  readonly body: unknown;
  /** Of its `Date` header; `null` without one. */
  readonly clock: number | null;
}

export function mountUrl(args: Arguments): URL {
  const text = args.text('mount') ?? '';
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '')
    return url;
  const form = 'an address like http://localhost:3000/claude-metrics, without a password in it';
  return wrong(args.command, `--mount must be ${form}.`);
}

/** @throws UsageError when nothing answers, or what answers is no JSON. */
export async function askMount(
  args: Arguments,
  io: Io,
  path: string,
  withToken = true,
): Promise<MountAnswer> {
  const base = mountUrl(args);
  const url = new URL(base.href.replace(/\/?(\?.*)?$/, path));
  const token = withToken ? tokenOf(args, io) : undefined;
  const headers: Record<string, string> = { accept: 'application/json' };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    // A redirect could carry the token to somebody else.
    const response = await io.fetch(url, { headers, signal, redirect: 'manual' });
    const text = await response.text();
    const clock = Date.parse(response.headers.get('date') ?? '');
    return {
      status: response.status,
      body: text.length <= MAX_BYTES ? parsed(text) : null,
      clock: Number.isNaN(clock) ? null : clock,
    };
  } catch (error) {
    return wrong(
      args.command,
      `--mount: ${url.origin} does not answer: ${reasonOf(error)}.`,
      error,
    );
  }
}

/** The snapshot of a span; without one, of the last 24 hours. */
export async function snapshotOf(args: Arguments, io: Io, span?: Span): Promise<Snapshot> {
  const query = span ? `?from=${span.from}&to=${span.to}` : '';
  const { status, body } = await askMount(args, io, `/snapshot${query}`);
  const { schema, detail, title } = (body ?? {}) as Record<string, unknown>;
  if (status === 200 && schema === 'claude-metrics/snapshot@1') return body as Snapshot;
  const where = `--mount: ${mountUrl(args).href}`;
  if (status === 401 || status === 403 || status === 404) {
    const name = args.text('token-env') ?? DEFAULT_TOKEN;
    const has = (io.env[name] ?? '') === '' ? 'is empty' : 'holds another token';
    wrong(
      args.command,
      `${where} answers ${status}. Either no monitor is there, or ${name} ${has}: ` +
        'name the variable that has the token with --token-env.',
    );
  }
  const told = typeof detail === 'string' ? detail : typeof title === 'string' ? title : '';
  return wrong(args.command, `${where} answers ${status}${told === '' ? '' : `: ${told}`}`);
}

const DEFAULT_TOKEN = 'CLAUDE_METRICS_AUTH_TOKEN';

function tokenOf(args: Arguments, io: Io): string | undefined {
  const name = args.text('token-env');
  const token = io.env[name ?? DEFAULT_TOKEN];
  if (name !== undefined && (token ?? '') === '') {
    wrong(args.command, `--token-env: the variable ${name} is not set.`);
  }
  return token === '' ? undefined : token;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
