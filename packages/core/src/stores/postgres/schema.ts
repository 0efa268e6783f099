import { MONEY_COLUMNS, SUM_COLUMNS, TIERS } from './columns.js';
import { viewsOf } from './views.js';

/**
 * The tables, version by version. What each column means is in docs/postgres.md, and a test holds the
 * page to them. Long names are not indexed, but their hashes: `account`, `period`, `id`.
 *
 * - `present()`: the clock that leases, claims and retention go by: the server's.
 */
export type Migration = (schema: string) => string;

const CELL_COLUMNS = `
    at timestamptz NOT NULL,
    family text COLLATE "C" NOT NULL,
    key1 text COLLATE "C" NOT NULL,
    key2 text COLLATE "C" NOT NULL,
    ${Object.keys(SUM_COLUMNS)
      .map((name) => `${name} bigint NOT NULL,`)
      .join('\n    ')}
    ${Object.keys(MONEY_COLUMNS)
      .map((name) => `${name} numeric NOT NULL,`)
      .join('\n    ')}
    data json NOT NULL,
    PRIMARY KEY (at, family, key1, key2)`;

const MONEY = (s: string): string => `
  CREATE TABLE ${s}.accounts (
    account text COLLATE "C" PRIMARY KEY,
    period text COLLATE "C" NOT NULL,
    budget text NOT NULL,
    scope text,
    personal boolean NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    spent_nano_usd bigint NOT NULL DEFAULT 0,
    held_nano_usd bigint NOT NULL DEFAULT 0,
    uncertain_nano_usd bigint NOT NULL DEFAULT 0,
    overrun_nano_usd bigint NOT NULL DEFAULT 0,
    unpriced_calls bigint NOT NULL DEFAULT 0,
    refused_calls bigint NOT NULL DEFAULT 0
  ) WITH (fillfactor = 70);
  CREATE INDEX accounts_period ON ${s}.accounts (period);
  CREATE INDEX accounts_ends_at ON ${s}.accounts (ends_at);
  CREATE INDEX accounts_personal ON ${s}.accounts (md5(scope)) WHERE personal;
  CREATE TABLE ${s}.members (
    id text COLLATE "C" PRIMARY KEY,
    name text,
    number bigint,
    answer text,
    heard_at timestamptz NOT NULL,
    expires_at timestamptz
  ) WITH (fillfactor = 50);
  CREATE TABLE ${s}.leases (
    member text COLLATE "C" NOT NULL,
    account text COLLATE "C" NOT NULL,
    nano_usd bigint NOT NULL,
    PRIMARY KEY (member, account)
  ) WITH (fillfactor = 70);
  CREATE INDEX leases_account ON ${s}.leases (account);
  CREATE TABLE ${s}.adjustments (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    adjusted_at timestamptz NOT NULL,
    budget text NOT NULL,
    scope text,
    personal boolean NOT NULL,
    nano_usd bigint NOT NULL,
    reason text NOT NULL
  );
  CREATE INDEX adjustments_personal ON ${s}.adjustments (md5(scope)) WHERE personal;`;

const first: Migration = (s) => `
  CREATE FUNCTION ${s}.present() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS 'SELECT clock_timestamp()';
  ${TIERS.map(
    ({ table }) => `CREATE TABLE ${s}.${table} (${CELL_COLUMNS}) PARTITION BY RANGE (at);`,
  ).join('\n  ')}
  CREATE TABLE ${s}.batches (
    id text COLLATE "C" PRIMARY KEY,
    added_at timestamptz NOT NULL
  );
  CREATE INDEX batches_added_at ON ${s}.batches (added_at);
  CREATE TABLE ${s}.calls (
    seq bigint NOT NULL,
    added_at timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    ended_at timestamptz NOT NULL,
    id text NOT NULL,
    request_id text,
    user_id text NOT NULL,
    feature text NOT NULL,
    session_id text,
    model text NOT NULL,
    served_model text,
    operation text NOT NULL,
    provider text NOT NULL,
    outcome text NOT NULL,
    error_kind text,
    status integer,
    stop_reason text,
    nano_usd bigint,
    price_status text NOT NULL,
    uncached_input_tokens bigint NOT NULL,
    cache_read_tokens bigint NOT NULL,
    cache_write_5m_tokens bigint NOT NULL,
    cache_write_1h_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    ttft_ms double precision,
    call_ms double precision NOT NULL,
    attempts integer NOT NULL,
    record json NOT NULL,
    PRIMARY KEY (seq, added_at)
  ) PARTITION BY RANGE (added_at);
  CREATE INDEX calls_user ON ${s}.calls (md5(user_id));
  CREATE INDEX calls_ended_at ON ${s}.calls (ended_at);
  CREATE TABLE ${s}.call_numbers (
    oldest bigint NOT NULL,
    newest bigint NOT NULL
  );
  INSERT INTO ${s}.call_numbers VALUES (1, 0);
  ${MONEY(s)}
  CREATE TABLE ${s}.claims (
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    holder text NOT NULL,
    expires_at timestamptz NOT NULL
  );
  CREATE TABLE ${s}.notes (
    id text COLLATE "C" PRIMARY KEY,
    name text NOT NULL,
    note text NOT NULL,
    put_at timestamptz NOT NULL
  );
  ${viewsOf(s)}`;

const messages: Migration = (s) => `
  ALTER TABLE ${s}.calls ADD COLUMN message_id text;
  CREATE INDEX calls_message ON ${s}.calls (md5(message_id)) WHERE message_id IS NOT NULL;`;

/** Each makes the version of its place, counted from 1. */
export const MIGRATIONS: readonly Migration[] = [first, messages];
