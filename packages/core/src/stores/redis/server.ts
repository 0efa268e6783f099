import { createHash } from 'node:crypto';
import { createDeadlines } from './deadlines.js';
import { explain, messageOf, timedOut } from './failure.js';
import type { Commands } from './client.js';

/**
 * The server as the store uses it: scripts, and few commands beside. Each has a time of its own to be
 * answered in, since a client waits as long as it takes to come back.
 *
 * - **script**: Lua that the server runs as one step. It is sent once, and called by its hash.
 */
export interface Script {
  readonly source: string;
  readonly hash: string;
}

export interface Server {
  /** Rejects in words; `what` completes "could not". Keys of one script are in one slot. */
  run(
    what: string,
    script: Script,
    keys: readonly string[],
    args: readonly string[],
  ): Promise<unknown>;
  /** Rejects in words, and when it takes too long. */
  within<T>(what: string, work: Promise<T>): Promise<T>;
  /** One command; `key` says which node of a cluster it is for. */
  send(what: string, key: string | undefined, args: readonly string[]): Promise<unknown>;
}

export function scriptOf(source: string): Script {
  return { source, hash: createHash('sha1').update(source).digest('hex') };
}

export function createServer(commands: Commands, timeoutMs: number): Server {
  const deadlines = createDeadlines(timeoutMs);

  /** `again` makes another attempt out of a failure, or nothing. One promise is all that it takes. */
  function begin<T>(
    what: string,
    start: () => Promise<T>,
    again: (error: unknown) => Promise<T> | null = () => null,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const answered = deadlines.begin(() => reject(timedOut(what, timeoutMs, commands.state())));
      function succeed(value: T): void {
        answered();
        resolve(value);
      }
      function fail(error: unknown): void {
        answered();
        reject(explain(what, error));
      }
      try {
        start().then(succeed, (error: unknown) => {
          const attempt = again(error);
          if (attempt === null) fail(error);
          else attempt.then(succeed, fail);
        });
      } catch (error) {
        fail(error);
      }
    });
  }

  return {
    within: (what, work) => begin(what, () => work),
    run(what, { source, hash }, keys, args) {
      const [key] = keys;
      const rest = [String(keys.length), ...keys, ...args];
      return begin(
        what,
        () => commands.send(key, ['EVALSHA', hash, ...rest]),
        // A server that was restarted, or has taken over, does not have the script.
        (error) =>
          messageOf(error).includes('NOSCRIPT')
            ? commands.send(key, ['EVAL', source, ...rest])
            : null,
      );
    },
    send: (what, key, args) => begin(what, () => commands.send(key, args)),
  };
}

/** A number of an answer; some clients give numbers as text. */
export function numberIn(answer: unknown): number {
  return answer === null || answer === undefined ? 0 : Number(answer);
}

/** A list of texts in an answer; some clients give buffers. */
export function textsIn(answer: unknown): string[] {
  return Array.isArray(answer) ? answer.map(String) : [];
}
