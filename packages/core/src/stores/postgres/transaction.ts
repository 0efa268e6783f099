import { codeOf, failureOf, LateError } from './failure.js';
import type { PostgresClient, PostgresPool } from './pool.js';

/**
 * Transactions that end in time, whatever the server does. Nothing is relied upon between two of them,
 * so that a pooler may give each another connection.
 *
 * - **deadline**: one for the whole transaction, kept by this process. A server that is stopped, or a
 *   network that swallows packets, cannot keep its own `statement_timeout`.
 * - **run**: sends one statement. Everything that is asked for is text, so that an application may
 *   have `pg` read numbers, dates and JSON as it likes.
 */
export type Run = (text: string, values?: readonly unknown[]) => Promise<Rows>;

export type Row = Readonly<Record<string, string | null>>;

export interface Rows {
  readonly rows: readonly Row[];
  readonly rowCount: number;
}

export interface TransactionOptions {
  readonly timeoutMs: number;
  /** How long a statement may wait for a lock; default as long as the transaction may take. */
  readonly lockMs?: number | undefined;
  /** All statements see the same moment, and none of them may write. */
  readonly reading?: boolean | undefined;
  /** What goes out together with BEGIN, so that it costs no round trip; without any values. */
  readonly first?: string | undefined;
}

export type Work<T> = (run: Run, first: Rows) => Promise<T>;

/** Two that wait for each other, or that a server could not put in any order: nothing was done. */
const AGAIN = new Set(['40001', '40P01']);
const MAX_TRIES = 5;

export async function transact<T>(
  pool: PostgresPool,
  options: TransactionOptions,
  work: Work<T>,
): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await transactOnce(pool, options, work);
    } catch (error) {
      if (tries === MAX_TRIES || !(AGAIN.has(codeOf(error) ?? '') || isStale(error))) throw error;
    }
  }
}

async function transactOnce<T>(
  pool: PostgresPool,
  options: TransactionOptions,
  work: Work<T>,
): Promise<T> {
  const { inTime, end } = deadline(options.timeoutMs);
  let client: PostgresClient | undefined;
  let broken: Error | undefined;
  // A connection that breaks also says so as an event, and an event that nobody hears ends a process.
  const onError = (error: Error) => void (broken = error);
  const send = async (text: string, values?: readonly unknown[]): Promise<unknown> =>
    inTime(client!.query(text, values as unknown[] | undefined));
  try {
    client = await takeClient(pool, onError, inTime);
    const begun = await send(`${beginning(options)}${options.first ?? ''}`).catch(toldAtOnce);
    const first = Array.isArray(begun) ? (begun[begun.length - 1] as unknown) : begun;
    const result = await work(
      async (text, values) => rowsOf(await send(text, values)),
      rowsOf(first),
    );
    const { command } = (await send('COMMIT')) as { command?: unknown };
    if (command === 'ROLLBACK') throw new Error('the transaction was rolled back');
    return result;
  } catch (error) {
    broken ??= error instanceof LateError ? error : undefined;
    if (client && !broken) {
      await send('ROLLBACK').catch((failure: unknown) => (broken = asError(failure)));
    }
    throw error;
  } finally {
    end();
    client?.removeListener?.('error', onError);
    client?.release(broken);
  }
}

/** Of connections that were gone when the pool gave them: nothing was done, and the next may be fresh. */
const stale = new WeakSet<object>();

function toldAtOnce(error: unknown): never {
  if (failureOf(error) === 'connection') stale.add(asError(error));
  throw error;
}

function isStale(error: unknown): boolean {
  return typeof error === 'object' && error !== null && stale.has(error);
}

/** The server ends what its client has forgotten, so that no lock stays for longer than a transaction may. */
function beginning({ timeoutMs, lockMs = timeoutMs, reading }: TransactionOptions): string {
  return (
    `BEGIN ISOLATION LEVEL ${reading ? 'REPEATABLE READ READ ONLY' : 'READ COMMITTED'};` +
    `SET LOCAL statement_timeout = ${timeoutMs}; SET LOCAL lock_timeout = ${lockMs};` +
    `SET LOCAL idle_in_transaction_session_timeout = ${timeoutMs};` +
    // Compiling a statement takes longer than any of ours runs, and tables grow faster than the planner
    // hears of it.
    'SET LOCAL jit = off; SET LOCAL enable_seqscan = off;'
  );
}

function rowsOf(result: unknown): Rows {
  const { rows, rowCount } = result as { rows?: Row[]; rowCount?: number | null };
  return { rows: rows ?? [], rowCount: rowCount ?? 0 };
}

type InTime = <V>(promise: Promise<V>) => Promise<V>;

function deadline(ms: number): { inTime: InTime; end: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LateError(`no answer within ${ms} ms`)), ms);
  });
  late.catch(() => undefined);
  return {
    inTime: (promise) => Promise.race([promise, late]),
    end: () => clearTimeout(timer),
  };
}

/**
 * Asks with a callback: between a promise that is settled and the code that waits for it, a connection
 * may break. A client that comes too late goes back unused.
 */
async function takeClient(
  pool: PostgresPool,
  onError: (error: Error) => void,
  inTime: InTime,
): Promise<PostgresClient> {
  let isLate = false;
  const connecting = new Promise<PostgresClient>((resolve, reject) => {
    const take = (error: unknown, client?: PostgresClient) => {
      if (!client) return reject(asError(error ?? 'the pool gave no client'));
      if (isLate) return client.release();
      client.on?.('error', onError);
      return resolve(client);
    };
    pool.connect(take);
  });
  try {
    const client = await inTime(connecting);
    if (typeof client.release === 'function') return client;
  } catch (error) {
    isLate = true;
    throw error;
  }
  throw new TypeError(
    '[claude-metrics] postgresStore: options.pool.connect() gave no client with release(); ' +
      'hand in a Pool of `pg`, not a Client.',
  );
}

function asError(error: unknown): Error {
  return typeof error === 'object' && error !== null ? (error as Error) : new Error(String(error));
}
