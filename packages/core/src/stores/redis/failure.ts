/**
 * What went wrong between the store and the server, in words for people. Servers begin their errors
 * with a code in capitals; what the libraries say themselves is known by its words.
 */
export type RedisFailure =
  | 'timeout'
  | 'connection'
  | 'closed'
  | 'auth'
  | 'denied'
  | 'full'
  | 'readonly'
  | 'loading'
  | 'cluster'
  | 'disk'
  | 'foreign'
  | 'other';

/** An operation of the store that failed. `cause` is the library's own error. */
export class RedisStoreError extends Error {
  override readonly name = 'RedisStoreError';
  readonly reason: RedisFailure;

  constructor(reason: RedisFailure, text: string, cause?: unknown) {
    super(`[claude-metrics] redisStore: ${text}`, cause === undefined ? {} : { cause });
    this.reason = reason;
  }
}

const KNOWN: readonly (readonly [RegExp, RedisFailure])[] = [
  [/\b(NOAUTH|WRONGPASS)\b|invalid password|Client sent AUTH/i, 'auth'],
  [/\bNOPERM\b/, 'denied'],
  [/\bOOM\b/, 'full'],
  [/\bREADONLY\b/, 'readonly'],
  [/\b(LOADING|MASTERDOWN|BUSY)\b/, 'loading'],
  [/\b(CLUSTERDOWN|CROSSSLOT|TRYAGAIN|MOVED|ASK)\b|cluster/i, 'cluster'],
  [/\b(MISCONF|NOREPLICAS)\b/, 'disk'],
  [/\bWRONGTYPE\b/, 'foreign'],
  [/ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|socket|connect/i, 'connection'],
  [/max retries per request|closed|offline|disconnect|reconnect/i, 'connection'],
];

const HINTS: Readonly<Record<RedisFailure, string>> = {
  timeout:
    'Is the server up, and does the client reach it? One that speaks TLS alone needs a client ' +
    'with `tls` (rediss://). Give timeoutMs more time if it is only slow',
  connection:
    'Is the server up, and does the client reach it? A node-redis client has to be connected ' +
    'first (await client.connect()), and a server that speaks TLS alone needs `tls` (rediss://)',
  closed: 'Ask nothing of a store after its close()',
  auth: 'Check username and password of the client',
  denied: "The client's user lacks a right; docs/redis.md lists the commands that it needs",
  full: 'The server is out of memory (maxmemory). Give it more, or lower historyRetentionMs',
  readonly: 'This server is a replica: let the client connect to the primary',
  loading: 'The server is not ready yet, or busy with a script; it is tried again',
  cluster: 'A part of the cluster is down, or moving; it is tried again',
  disk: 'The server refuses to write, as it cannot save to its disk or to its replicas',
  foreign: 'A key of the store holds something else: choose another prefix',
  other: 'What could not be done is tried again',
};

export function failureOf(error: unknown): RedisFailure {
  if (error instanceof RedisStoreError) return error.reason;
  const { code } = (error ?? {}) as { code?: unknown };
  const text = `${typeof code === 'string' ? code : ''} ${messageOf(error)}`;
  return KNOWN.find(([words]) => words.test(text))?.[1] ?? 'other';
}

/** The error that the store gives for an error of the library. */
export function explain(what: string, error: unknown): Error {
  const text = messageOf(error);
  // Not by instanceof: what is in our words already stays as it is, a QueryError for one.
  if (text.startsWith('[claude-metrics]')) return error as Error;
  const reason = failureOf(error);
  const told = text
    .replaceAll(/\s+/g, ' ')
    .replace(/[.\s]+$/, '')
    .slice(0, 300);
  return new RedisStoreError(reason, `could not ${what}: ${told}. ${HINTS[reason]}.`, error);
}

export function timedOut(what: string, timeoutMs: number, state: string | null): RedisStoreError {
  const client = state === null ? '' : ` (the client is "${state}")`;
  return new RedisStoreError(
    'timeout',
    `could not ${what}: no answer within ${timeoutMs} ms${client}. ${HINTS.timeout}.`,
  );
}

export function closedError(): RedisStoreError {
  return new RedisStoreError('closed', `the store is closed. ${HINTS.closed}.`);
}

export function messageOf(error: unknown): string {
  const { message, errors } = (error ?? {}) as { message?: unknown; errors?: readonly unknown[] };
  // An AggregateError of several addresses has no text of its own.
  if (message === '' && Array.isArray(errors) && errors.length > 0) return messageOf(errors[0]);
  return typeof message === 'string' ? message : String(error);
}
