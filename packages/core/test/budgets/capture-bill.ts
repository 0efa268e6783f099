import type { BudgetReport } from '../../src/budget.js';
import { costOf } from '../../src/pricing.js';
import { prices } from '../../src/prices.js';
import type { Usage } from '../../src/record.js';
import { requestSizeOf } from '../../src/request-size.js';
import { worstCaseOf } from '../../src/worst-case.js';
import type { Seen } from './capture-wire.js';

/**
 * The bill of a schedule, made only from what came over the wire; budgets are held to it.
 *
 * - **uncertain**: nobody was told what an attempt cost, so it is taken for its worst case.
 */
export interface Bill {
  readonly nanoUsd: number;
  readonly uncertain: number;
}

/** One attempt that reached the provider, and when its call began. */
export interface Attempted {
  readonly seen: Seen;
  readonly userId: string;
  readonly feature: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What an attempt cost, as far as whoever read its answer was told. */
export function billOf({ seen, at }: Attempted): Bill {
  const { request, chunks } = seen;
  if (request.status !== null && request.status >= 400) return { nanoUsd: 0, uncertain: 0 };
  const body = request.body as { model: string; stream?: boolean };
  const told = body.stream === true ? streamed(chunks) : message(seen);
  if (told === 'free') return { nanoUsd: 0, uncertain: 0 };
  if (told !== null) {
    return {
      nanoUsd: costOf(told, body.model, { at: new Date(at), prices })!.nanoUsd,
      uncertain: 0,
    };
  }
  const worst = worstCaseOf(requestSizeOf(body), body.model, at, prices)!.nanoUsd;
  return { nanoUsd: worst, uncertain: worst };
}

type Told = Usage | 'free' | null;

function message({ chunks, whole }: Seen): Told {
  if (!whole) return null;
  try {
    const { usage, stop_reason, content } = JSON.parse(chunks.join('')) as Message;
    return stop_reason === 'refusal' && content?.length === 0 ? 'free' : (usage ?? null);
  } catch {
    return null;
  }
}

interface Message {
  readonly usage?: Usage;
  readonly stop_reason?: string;
  readonly content?: readonly unknown[];
}

interface Event {
  readonly type: string;
  readonly message?: Message;
  readonly delta?: { readonly text?: string; readonly stop_reason?: string };
  readonly usage?: Usage;
}

/** Four bytes of text are a token, until the end of the stream has told. */
function streamed(chunks: readonly string[]): Told {
  let usage: Usage | null = null;
  let known = false;
  let bytes = 0;
  let refused = false;
  for (const chunk of chunks) {
    const data = /^data: (.*)$/m.exec(chunk)?.[1];
    const event = data === undefined || !data.endsWith('}') ? null : (JSON.parse(data) as Event);
    if (event?.type === 'message_start') usage = event.message?.usage ?? null;
    bytes += Buffer.byteLength(event?.delta?.text ?? '');
    if (event?.type !== 'message_delta') continue;
    usage = { ...usage, ...event.usage };
    known = true;
    refused = event.delta?.stop_reason === 'refusal';
  }
  if (refused && bytes === 0) return 'free';
  if (usage === null || known) return usage;
  return { ...usage, output_tokens: Math.max(usage.output_tokens ?? 0, Math.ceil(bytes / 4)) };
}

/** What a budget should say of its scopes, in nano-dollars. */
export function expectedOf(
  { of, from }: BudgetReport,
  attempts: readonly Attempted[],
): Record<string, Bill> {
  const sums: Record<string, Bill> = {};
  for (const attempt of attempts) {
    if (attempt.at < Date.parse(from!)) continue;
    const { nanoUsd, uncertain } = billOf(attempt);
    if (nanoUsd === 0) continue;
    const scope = scopeOf(of, attempt);
    const before = sums[scope] ?? { nanoUsd: 0, uncertain: 0 };
    sums[scope] = { nanoUsd: before.nanoUsd + nanoUsd, uncertain: before.uncertain + uncertain };
  }
  return sums;
}

function scopeOf(of: BudgetReport['of'], { userId, feature, seen }: Attempted): string {
  if (of === 'user') return userId;
  if (of === 'feature') return feature;
  return of === 'model' ? (seen.request.body as { model: string }).model : '(all)';
}

/** The same, as a budget says it. */
export function saidOf({ scopes }: BudgetReport): Record<string, Bill> {
  const sums: Record<string, Bill> = {};
  for (const { scope, spentUsd, uncertainUsd } of scopes) {
    if (spentUsd === 0) continue;
    sums[scope ?? '(all)'] = { nanoUsd: nanoOf(spentUsd), uncertain: nanoOf(uncertainUsd) };
  }
  return sums;
}

export function nanoOf(usd: number): number {
  return Math.round(usd * 1e9);
}
