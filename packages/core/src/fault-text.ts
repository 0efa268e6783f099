import { namesOf } from './error-facts.js';
import { scrub } from './scrub.js';

/**
 * A fault as one line that can be shown: to whoever may open the mount, and in the log.
 *
 * - **fault**: whatever a function of the application, a driver or a line of ours threw. Text of others can
 *   quote anything: `JSON.parse()` quotes its input, a driver the address with its password. So it is cut
 *   as messages of the API are, with the words of engines and drivers besides. What we say ourselves passes.
 *
 * Who wants the whole error gets it through `onError`. Docs: `docs/privacy.md`.
 */
const OURS = '[claude-metrics]';
const MAX_TEXT = 200;
const UNPRINTABLE = 'an error that cannot be printed';
const KEY = /\bsk-[\w-]{6,}/g;

const WORDS: ReadonlySet<string> = new Set(
  `acquire alerts answer answered argument arguments assign assignment async attempts authorize await bigint
  broken bug busy called callback circular class coercion command commands commit configured constructor convert
  converting dead deadlock defined denied disk down driver empty entries erase evaluation evaluations exception
  executing extensible feedback fold forget frozen full getter handshake index instance iterable iterator
lock locked loading log lost malformed master maxclients maxmemory memory module must negative notes
  oom operators own pipe pool port private promise properties proto prototype query question range reading readonly
  receiver recursion relation replica replicas return returned returning row rows script sentinel serialize
  setter shared shut shutting shutdown sqlite_busy sqlite_corrupt sqlite_full sqlite_ioerr sqlite_locked
  sqlite_readonly stack statement static store structure symbol syntax table tables thenable thing threw thrown
  transaction tuple types undefined uninitialized usd variable wrapped writable writing wrongtype
  ebadf eacces edquot eexist eisdir emfile enfile enoent enospc enotdir enotempty eperm epipe erofs exit eof
  budgets note ms rolled redis postgres sqlite store's stores cells calls`.split(/\s+/),
);

const ours = new WeakSet<Error>();

/** Marks an error whose text is ours alone: it is shown as it is. */
export function ownWords<E extends Error>(error: E): E {
  ours.add(error);
  return error;
}

/** `TypeError: Cannot read properties of undefined (reading …`. Never throws. */
export function faultText(error: unknown): string {
  try {
    const text = error instanceof Error ? error.message : String(error);
    const isOurs = text.startsWith(OURS) || (error instanceof Error && ours.has(error));
    const told = isOurs ? text.replace(/\s+/g, ' ') : scrub(text, WORDS);
    const safe = told.replace(KEY, 'sk-…');
    const line = error instanceof Error ? `${namesOf(error)[0] ?? 'Error'}: ${safe}` : safe;
    return line.slice(0, MAX_TEXT);
  } catch {
    return UNPRINTABLE;
  }
}
