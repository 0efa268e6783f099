import { PostgresStoreError } from './failure.js';
import { escapeText, hashOf, unescapeText } from './text.js';
import type { SharedNotes } from '../budget-store.js';
import type { Database } from './database.js';

/** Who does what only one process should do, and small texts that all can read. */
export interface PostgresNotes extends SharedNotes {
  claim(name: string, holder: string, forMs: number): Promise<boolean>;
  note(name: string): Promise<string | null>;
  putNote(name: string, text: string | null): Promise<void>;
}

const MAX_BYTES = 1024 * 1024;
const MAX_NOTES = 1_000;
/** A hundred years. */
const MAX_CLAIM_MS = 3_153_600_000_000;

export function createNotes(database: Database): PostgresNotes {
  const { s } = database;

  return {
    claim: (name, holder, forMs) =>
      database.transact('claim a name', {}, async (run) => {
        const ms = Math.max(0, Math.min(Math.ceil(forMs), MAX_CLAIM_MS));
        const { rowCount } = await run(
          `INSERT INTO ${s}.claims AS c (id, name, holder, expires_at)
            VALUES ($1, $2, $3, ${s}.present() + $4::float8 * interval '1 millisecond')
            ON CONFLICT (id) DO UPDATE
              SET holder = excluded.holder, expires_at = excluded.expires_at
              WHERE c.holder = excluded.holder OR c.expires_at <= ${s}.present()
            RETURNING 1`,
          [hashOf(name), escapeText(name), escapeText(holder), ms],
        );
        return rowCount > 0;
      }),
    note: (name) =>
      database.transact('read a note', { reading: true }, async (run) => {
        const { rows } = await run(`SELECT note FROM ${s}.notes WHERE id = $1`, [hashOf(name)]);
        const [found] = rows;
        return found === undefined ? null : unescapeText(found['note']!);
      }),
    async putNote(name, text) {
      if (text !== null && Buffer.byteLength(text) > MAX_BYTES) {
        throw new PostgresStoreError(
          'other',
          `a note has ${Buffer.byteLength(text)} bytes; at most ${MAX_BYTES} are kept. Shorten it.`,
        );
      }
      await database.transact('write a note', {}, async (run) => {
        if (text === null) {
          await run(`DELETE FROM ${s}.notes WHERE id = $1`, [hashOf(name)]);
          return;
        }
        await run(
          `INSERT INTO ${s}.notes (id, name, note, put_at) VALUES ($1, $2, $3, ${s}.present())
            ON CONFLICT (id) DO UPDATE SET note = excluded.note, put_at = excluded.put_at`,
          [hashOf(name), escapeText(name), escapeText(text)],
        );
        await run(
          `DELETE FROM ${s}.notes WHERE id IN
            (SELECT id FROM ${s}.notes ORDER BY put_at DESC, id OFFSET ${MAX_NOTES})`,
        );
      });
    },
  };
}
