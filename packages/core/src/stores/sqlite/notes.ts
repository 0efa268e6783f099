import { SqliteStoreError } from './failure.js';
import type { SharedNotes } from '../budget-store.js';
import type { Access } from './access.js';
import type { FileTime } from './time.js';

/** Who does what only one process should do, and small texts, in the file. */
export interface SqliteNotes extends SharedNotes {
  claim(name: string, holder: string, forMs: number): Promise<boolean>;
  note(name: string): Promise<string | null>;
  putNote(name: string, text: string | null): Promise<void>;
}

const MAX_BYTES = 1024 * 1024;
const MAX_NOTES = 1_000;

export function createNotes(access: Access, time: FileTime, file: string): SqliteNotes {
  return {
    claim: (name, holder, forMs) =>
      access.write((db) => {
        const now = time.now(db);
        const [key, who] = [JSON.stringify(name), JSON.stringify(holder)];
        const until = Math.min(Math.ceil(now + forMs), Number.MAX_SAFE_INTEGER);
        const claimed = db.run(
          `INSERT INTO claims (name, holder, until) VALUES (?, ?, ?)
           ON CONFLICT DO UPDATE SET holder = excluded.holder, until = excluded.until
           WHERE holder = excluded.holder OR until <= ?`,
          ...[key, who, until, now],
        );
        if (until <= now) db.run('DELETE FROM claims WHERE name = ? AND until <= ?', key, now);
        return claimed > 0;
      }),
    note: (name) =>
      access.write((db) => {
        const find = 'SELECT text FROM notes WHERE name = ?';
        const found = db.get<{ text: string }>(find, JSON.stringify(name));
        return found === undefined ? null : (JSON.parse(found.text) as string);
      }),
    async putNote(name, text) {
      const key = JSON.stringify(name);
      if (text === null) {
        await access.write((db) => db.run('DELETE FROM notes WHERE name = ?', key));
        return;
      }
      const bytes = Buffer.byteLength(text);
      if (bytes > MAX_BYTES) {
        const what = `a note of ${bytes} bytes; at most ${MAX_BYTES} are kept. Shorten it.`;
        throw new SqliteStoreError('other', file, `${file}: ${what}`);
      }
      await access.write((db) => {
        // A row that takes the place of another is a new one: rows are in the order of their last writing.
        db.run(
          'INSERT OR REPLACE INTO notes (name, text) VALUES (?, ?)',
          key,
          JSON.stringify(text),
        );
        const { count } = db.get<{ count: number }>('SELECT count(*) AS count FROM notes')!;
        if (count > MAX_NOTES) {
          db.run('DELETE FROM notes WHERE rowid = (SELECT min(rowid) FROM notes)');
        }
      });
    },
  };
}
