import { numberIn, scriptOf, type Server } from './server.js';
import type { SharedNotes } from '../budget-store.js';
import type { Keys } from './keys.js';

/** Who does what only one should do, and small texts that all can read. */
export interface RedisNotes extends SharedNotes {
  claim(name: string, holder: string, forMs: number): Promise<boolean>;
  note(name: string): Promise<string | null>;
  putNote(name: string, text: string | null): Promise<void>;
}

/** ARGV: holder, milliseconds; with 0 it is let go. 1: nobody else has the name. */
const CLAIM = scriptOf(String.raw`
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
if tonumber(ARGV[2]) <= 0 then
  redis.call('DEL', KEYS[1])
  return 1
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
`);

const MAX_CHARS = 1_000_000;
/** Nobody has to clean up after a fleet that is gone. */
const KEPT_MS = String(400 * 86_400_000);

export function createNotes(server: Server, keys: Keys): RedisNotes {
  return {
    async claim(name, holder, forMs) {
      const args = [JSON.stringify(holder), String(Math.max(0, Math.ceil(forMs)))];
      return numberIn(await server.run('claim', CLAIM, [keys.claim(name)], args)) === 1;
    },
    async note(name) {
      const key = keys.note(name);
      const text = await server.send('read a note', key, ['GET', key]);
      return text === null || text === undefined ? null : (JSON.parse(String(text)) as string);
    },
    async putNote(name, text) {
      const key = keys.note(name);
      if (text === null) {
        await server.send('remove a note', key, ['DEL', key]);
        return;
      }
      if (text.length > MAX_CHARS) {
        throw new RangeError(
          `[claude-metrics] putNote: a note can have ${MAX_CHARS} characters, got ${text.length}.`,
        );
      }
      const args = ['SET', key, JSON.stringify(text), 'PX', KEPT_MS];
      await server.send('write a note', key, args);
    },
  };
}
