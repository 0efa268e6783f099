/**
 * What went wrong between the store and the server, in words that say who has to do what.
 *
 * - **state**: Postgres' five characters for a kind of error; where there was no server to say one, the
 *   system's own code.
 */
export type PostgresFailure =
  | 'connection'
  | 'timeout'
  | 'auth'
  | 'denied'
  | 'readonly'
  | 'full'
  | 'busy'
  | 'missing'
  | 'newer'
  | 'closed'
  | 'other';

/** An operation of the store that failed. `cause` is the error of `pg`. */
export class PostgresStoreError extends Error {
  override readonly name = 'PostgresStoreError';
  readonly reason: PostgresFailure;

  constructor(reason: PostgresFailure, text: string, cause?: unknown) {
    super(`[claude-metrics] postgresStore: ${text}`, cause === undefined ? {} : { cause });
    this.reason = reason;
  }
}

/** No answer within the deadline: what was sent may have been done, or not. */
export class LateError extends Error {
  override readonly name = 'LateError';
}

const KNOWN: readonly (readonly [state: RegExp, reason: PostgresFailure])[] = [
  [/^28/, 'auth'],
  [/^42501/, 'denied'],
  [/^25006/, 'readonly'],
  [/^53[12]00/, 'full'],
  [/^(57014|55P03|25P0[34])/, 'timeout'],
  [/^(53300|57P0[1-3]|40|55006)/, 'busy'],
  [/^(42P01|3F000|23514|3D000|42883|42703)/, 'missing'],
  [/^(08|ECONN|EPIPE|ENOENT|ETIMEDOUT|ENOTFOUND|EAI_|EHOST|ENET)/, 'connection'],
];

const WORDS: readonly (readonly [text: RegExp, reason: PostgresFailure])[] = [
  [/timeout exceeded when trying to connect/i, 'timeout'],
  [/password|SASL|SSL connections|certificate|self.signed/i, 'auth'],
  [/terminated|not queryable|closed|connection/i, 'connection'],
];

const HINTS: Readonly<Record<PostgresFailure, string>> = {
  connection: 'Is the server up, and does the pool reach it? It is tried again',
  timeout:
    'Is the server up, and is the pool large enough? Give timeoutMs more time if it is only slow',
  auth:
    'Check user and password of the pool, and its `ssl`: a server can refuse a connection ' +
    'without TLS',
  denied:
    "The pool's user lacks a privilege: let it create schemas in the database, or make it the " +
    'owner of the schema (docs/postgres.md)',
  readonly:
    'This server, or the user, only reads: let the pool connect to the primary, as a user ' +
    'without default_transaction_read_only',
  full: 'The server is out of disk or memory. Free some, or lower historyRetentionMs',
  busy: 'The server is starting, stopping or has no connection left; it is tried again',
  missing: 'Something that was there is not any more; it is looked for again the next time',
  newer: 'Update @claude-metrics/core, or give this process another schema',
  closed: 'Ask nothing of a store after its close()',
  other: 'What could not be done is tried again',
};

export function failureOf(error: unknown): PostgresFailure {
  if (error instanceof PostgresStoreError) return error.reason;
  if (error instanceof LateError) return 'timeout';
  const code = codeOf(error);
  const known = code === null ? undefined : KNOWN.find(([state]) => state.test(code));
  if (known) return known[1];
  return WORDS.find(([words]) => words.test(messageOf(error)))?.[1] ?? 'other';
}

/** The error that the store gives for an error of `pg`. */
export function explain(what: string, error: unknown): Error {
  const text = messageOf(error);
  // Not by instanceof: what is in our words already stays as it is, a QueryError for one.
  if (text.startsWith('[claude-metrics]')) return error as Error;
  const reason = failureOf(error);
  const code = codeOf(error);
  const told = text
    .replaceAll(/\s+/g, ' ')
    .replace(/[.\s]+$/, '')
    .slice(0, 300);
  const state = code === null ? '' : ` (${code})`;
  return new PostgresStoreError(
    reason,
    `could not ${what}: ${told || 'no reason was given'}${state}. ${HINTS[reason]}.`,
    error,
  );
}

export function closedError(): PostgresStoreError {
  return new PostgresStoreError('closed', `the store is closed. ${HINTS.closed}.`);
}

export function codeOf(error: unknown): string | null {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' ? code : null;
}

export function messageOf(error: unknown): string {
  const { message, errors } = (error ?? {}) as { message?: unknown; errors?: readonly unknown[] };
  // An AggregateError of several addresses has no text of its own.
  if (message === '' && Array.isArray(errors) && errors.length > 0) return messageOf(errors[0]);
  return typeof message === 'string' ? message : String(error);
}
