import { callPageOf } from '../../call-page.js';
import { createCallQueue } from '../../call-queue.js';
import { keyOf } from '../../cell.js';
import { erasedCall } from '../../erased.js';
import { deepFreeze } from '../../freeze.js';
import { ADD_CALLS, EXPIRE, FIND, PAGE, REWRITE } from './call-scripts.js';
import { numberIn, type Server } from './server.js';
import type { CallRecord } from '../../record.js';
import type { CallsPage, CallsQuery } from '../store.js';
import type { Keys } from './keys.js';

/**
 * The most recent calls of all processes, in the order in which they were written. They wait until the
 * next merge, or for a second; see call-queue.ts.
 */
export interface CallLog {
  add(calls: readonly CallRecord[]): void;
  /** Writes what waits. */
  flush(): Promise<void>;
  page(query: CallsQuery): Promise<CallsPage>;
  find(messageId: string): Promise<CallRecord | null>;
  /** Takes calls that began too long ago. `true` when there may be more of them. */
  expire(before: number): Promise<boolean>;
  /** Takes the name of a user out of the calls. Returns how many had it. */
  erase(userId: string): Promise<number>;
  stop(): void;
}

export interface CallLogOptions {
  readonly server: Server;
  readonly keys: Keys;
  readonly capacity: number;
  readonly retentionMs: number;
  readonly onDrop: (count: number) => void;
  readonly onFault: (error: unknown) => void;
}

interface Found {
  readonly first: number;
  readonly last: number;
  readonly next: number;
  readonly entries: readonly (readonly [number: number, entry: string])[];
}

/** Calls that wait at most, while the server cannot be reached. */
const MAX_WAITING = 5_000;
const CHUNK = 100;
const DAY_MS = 86_400_000;

export function createCallLog(options: CallLogOptions): CallLog {
  const { server, keys, capacity } = options;
  const keptMs = String(options.retentionMs + DAY_MS);
  const queue = createCallQueue({
    ...{ most: MAX_WAITING, size: CHUNK, onDrop: options.onDrop, onFault: options.onFault },
    write(calls, name) {
      const args = [name, String(capacity), keptMs, ...calls.map(entryOf)];
      return server.run('write calls', ADD_CALLS, keys.calls, args);
    },
  });

  /** A step looks at so many calls only: it goes on until there are as many as wanted. */
  async function find(query: CallsQuery, before: number, wanted: number): Promise<Found> {
    const { model, feature, user, outcome } = query;
    const filters = [model, feature, user, outcome].map((name) =>
      name === undefined ? '' : JSON.stringify(name),
    );
    const entries: (readonly [number, string])[] = [];
    for (let next = before; ;) {
      const args = [String(next), String(wanted - entries.length), ...filters];
      const answer = await server.run('read calls', PAGE, keys.calls, args);
      const [first, last, place, found] = answer as [unknown, unknown, unknown, unknown[]];
      for (let i = 0; i + 1 < found.length; i += 2) {
        entries.push([numberIn(found[i]), String(found[i + 1])]);
      }
      next = numberIn(place);
      if (next === 0 || entries.length >= wanted) {
        return { first: numberIn(first), last: numberIn(last), next, entries };
      }
    }
  }

  return {
    add: queue.add,
    flush: queue.flush,
    async page(query) {
      const { limit, before } = callPageOf(query);
      await queue.flush();
      const { first, last, entries } = await find(query, before, limit + 1);
      return {
        calls: entries.slice(0, limit).map(([, entry]) => deepFreeze(recordOf(entry))),
        next: entries.length > limit ? String(entries[limit - 1]![0]) : null,
        kept: last - first + 1,
        capacity,
        dropped: first - 1 + queue.dropped,
      };
    },
    async find(messageId) {
      await queue.flush();
      const entry = await server.run('find a call', FIND, keys.calls, [JSON.stringify(messageId)]);
      // Some clients give buffers.
      return entry ? deepFreeze(recordOf(String(entry))) : null;
    },
    async expire(before) {
      return numberIn(await server.run('tidy up', EXPIRE, keys.calls, [String(before)])) >= 400;
    },
    async erase(userId) {
      let count = 0;
      for (let next = Number.MAX_SAFE_INTEGER; next > 0;) {
        const found = await find({ user: keyOf(userId) }, next, CHUNK);
        const changes = found.entries.flatMap(([number, entry]) => {
          return [String(number), entry, entryOf(erasedCall(recordOf(entry)))];
        });
        if (changes.length > 0) {
          count += numberIn(await server.run('forget a user', REWRITE, keys.calls, changes));
        }
        next = found.next;
      }
      return count;
    },
    stop: queue.stop,
  };
}

/** Names as filters have them; JSON has no line breaks. */
function entryOf(call: CallRecord): string {
  const names = [keyOf(call.model), keyOf(call.feature), keyOf(call.userId), call.outcome];
  const lines = names.map((name) => JSON.stringify(name));
  const message = call.messageId === null ? '' : JSON.stringify(call.messageId);
  return [...lines, String(call.at), message, JSON.stringify(call)].join('\n');
}

function recordOf(entry: string): CallRecord {
  return JSON.parse(entry.slice(entry.lastIndexOf('\n') + 1)) as CallRecord;
}
