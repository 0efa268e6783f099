import { createHash } from 'node:crypto';
import { isObject } from './answer.js';
import { tokensIn } from './tokens.js';

/**
 * A small prompt cache: what stands before a `cache_control` mark is written once and read
 * afterwards, for the lifetime that the mark asks for.
 *
 * - **mark**: a block with `cache_control`; the prefix up to and with it is cached.
 */
export interface PromptCache {
  use(body: unknown): Cached;
  clear(): void;
}

/** Tokens. */
export interface Cached {
  readonly read: number;
  readonly write5m: number;
  readonly write1h: number;
}

const LIFETIMES_MS = { '5m': 300_000, '1h': 3_600_000 } as const;
const MAX_PREFIXES = 10_000;

/** A block with all that stands before it. */
interface Prefix {
  readonly hash: string;
  readonly tokens: number;
  /** Of its mark. */
  readonly ttl: keyof typeof LIFETIMES_MS | null;
}

export function createPromptCache(now: () => number): PromptCache {
  /** By hash of the prefix. */
  const kept = new Map<string, { readonly lifetime: number; readonly until: number }>();

  function keep(hash: string, lifetime: number): void {
    if (kept.size >= MAX_PREFIXES) kept.delete(kept.keys().next().value as string);
    kept.set(hash, { lifetime, until: now() + lifetime });
  }

  return {
    use(body) {
      const prefixes = prefixesOf(body);
      const time = now();
      // Also found where an earlier request had its mark, and this one has none.
      const hit = prefixes.findLastIndex(({ hash }) => (kept.get(hash)?.until ?? 0) > time);
      const found = prefixes[hit];
      const read = found?.tokens ?? 0;
      // Reading keeps an entry alive for its lifetime once more.
      if (found) keep(found.hash, kept.get(found.hash)?.lifetime ?? 0);
      let before = read;
      const written = { '5m': 0, '1h': 0 };
      for (const [i, { hash, tokens, ttl }] of prefixes.entries()) {
        if (ttl === null) continue;
        if (i > hit) {
          written[ttl] += tokens - before;
          before = tokens;
        }
        keep(hash, LIFETIMES_MS[ttl]);
      }
      return { read, write5m: written['5m'], write1h: written['1h'] };
    },
    clear: () => kept.clear(),
  };
}

/** Up to the last mark, in the order in which the API reads a prompt: tools, system, messages. */
function prefixesOf(body: unknown): Prefix[] {
  if (!isObject(body)) return [];
  const hash = createHash('sha256').update(String(body['model']));
  const blocks = [...blocksOf(body)];
  const prefixes: Prefix[] = [];
  let tokens = 0;
  for (const [i, { cache_control: own, ...rest }] of blocks.entries()) {
    const text = JSON.stringify(rest);
    hash.update(text);
    tokens += tokensIn(text);
    // A mark of the whole request is one of its last block.
    const control = own ?? (i === blocks.length - 1 ? body['cache_control'] : undefined);
    const ttl = isObject(control) ? (control['ttl'] === '1h' ? '1h' : '5m') : null;
    prefixes.push({ hash: hash.copy().digest('base64'), tokens, ttl });
  }
  return prefixes.slice(0, prefixes.findLastIndex(({ ttl }) => ttl !== null) + 1);
}

function* blocksOf(body: Record<string, unknown>): Generator<Record<string, unknown>> {
  const { tools, system, messages } = body;
  yield* listOf(tools);
  yield* listOf(system);
  for (const message of listOf(messages)) yield* listOf(message['content']);
}

function listOf(value: unknown): Record<string, unknown>[] {
  if (typeof value === 'string') return [{ type: 'text', text: value }];
  return Array.isArray(value) ? value.filter(isObject) : [];
}
