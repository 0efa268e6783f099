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

interface Mark {
  readonly prefix: string;
  readonly tokens: number;
  readonly ttl: keyof typeof LIFETIMES_MS;
}

export function createPromptCache(now: () => number): PromptCache {
  /** By hash of the prefix: until when it is kept. */
  const kept = new Map<string, number>();

  return {
    use(body) {
      const marks = marksOf(body);
      const time = now();
      const hit = marks.findLastIndex(({ prefix }) => (kept.get(prefix) ?? 0) > time);
      let before = marks[hit]?.tokens ?? 0;
      const written = { '5m': 0, '1h': 0 };
      for (const [i, { prefix, tokens, ttl }] of marks.entries()) {
        if (i > hit) {
          written[ttl] += tokens - before;
          before = tokens;
        }
        if (kept.size >= MAX_PREFIXES) kept.delete(kept.keys().next().value as string);
        // Reading keeps an entry alive for its lifetime once more.
        kept.set(prefix, time + LIFETIMES_MS[ttl]);
      }
      return { read: marks[hit]?.tokens ?? 0, write5m: written['5m'], write1h: written['1h'] };
    },
    clear: () => kept.clear(),
  };
}

/** In the order in which the API reads a prompt: tools, system, messages. */
function marksOf(body: unknown): Mark[] {
  if (!isObject(body)) return [];
  const hash = createHash('sha256').update(String(body['model']));
  const marks: Mark[] = [];
  let tokens = 0;
  for (const block of blocksOf(body)) {
    const { cache_control: control, ...rest } = block;
    const text = JSON.stringify(rest);
    hash.update(text);
    tokens += tokensIn(text);
    if (!isObject(control)) continue;
    const ttl = control['ttl'] === '1h' ? '1h' : '5m';
    marks.push({ prefix: hash.copy().digest('base64'), tokens, ttl });
  }
  return marks;
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
