import type { BodyWatcher } from './body.js';
import { noAnswer, type Call } from './call.js';
import { describeError, describeResponse } from './errors.js';
import type { CallContext, CallError, Outcome } from './record.js';
import { takeMessage } from './reading.js';

/**
 * Batches are created once and their results may be downloaded for 29 days, as often as one likes;
 * each result counts once, for whoever created the batch.
 */
export interface Batches {
  /** The batch was created in this context. */
  created(batchId: string | null, context: CallContext): void;
  /** Watches a download of results (JSON lines) and ends a call for each result not seen before. */
  reading(path: string, end: EndResult): BodyWatcher<Call>;
}

export type EndResult = (result: Call, outcome: Outcome, error?: CallError) => void;

const MAX_BATCHES = 1_000;
const MAX_SEEN = 50_000;
/** One result is one message; a longer line is none. */
const MAX_LINE = 16 * 1024 * 1024;
const LF = 10;

interface Result {
  custom_id?: unknown;
  result?: { type?: unknown; message?: unknown; error?: unknown };
}

export function createBatches(dropped: (what: string) => void): Batches {
  const contexts = new Map<string, CallContext>();
  const seen = new Set<string>();

  function take(line: string, batchId: string, download: Call, end: EndResult): void {
    if (line.trim() === '') return;
    const { custom_id: customId, result } = JSON.parse(line) as Result;
    const key = `${batchId}/${String(customId)}`;
    if (seen.has(key)) return;
    if (seen.size >= MAX_SEEN) seen.delete(seen.values().next().value as string);
    seen.add(key);
    const call: Call = {
      ...download,
      id: `${download.id}/${seen.size}`,
      context: contexts.get(batchId) ?? download.context,
      batchId,
      phase: 'reading',
      outcome: null,
      answer: noAnswer(),
      scan: null,
      buffer: null,
      attempts: [],
    };
    if (result?.type === 'succeeded') {
      takeMessage(call.answer, result.message);
      end(call, call.answer.stopReason === 'refusal' ? 'refused' : 'ok');
    } else if (result?.type === 'errored') {
      end(call, 'error', describeResponse(500, JSON.stringify(result.error ?? null)));
    } else if (result?.type === 'expired') {
      end(call, 'error', describeError({ name: 'TimeoutError', message: 'The batch expired.' }));
    } else {
      end(call, 'cancelled');
    }
  }

  return {
    created(batchId, context) {
      if (batchId === null) return;
      if (contexts.size >= MAX_BATCHES) contexts.delete(contexts.keys().next().value as string);
      contexts.set(batchId, context);
    },
    reading(path, end) {
      const batchId = /\/batches\/([^/?]{1,128})\//.exec(path)?.[1] ?? 'unknown';
      let carry: Buffer | null = Buffer.alloc(0);
      const push = (download: Call, bytes: unknown) => {
        const chunk = typeof bytes === 'string' ? Buffer.from(bytes) : (bytes as Uint8Array);
        let start = 0;
        for (let at = chunk.indexOf(LF); at !== -1; at = chunk.indexOf(LF, start)) {
          const tail = chunk.subarray(start, at);
          if (carry) take(Buffer.concat([carry, tail]).toString(), batchId, download, end);
          carry = Buffer.alloc(0);
          start = at + 1;
        }
        if (!carry || carry.length + chunk.length - start > MAX_LINE) {
          if (carry) dropped('batchLine');
          carry = null;
        } else {
          carry = Buffer.concat([carry, chunk.subarray(start)]);
        }
      };
      const flush = (download: Call) => {
        if (carry) take(carry.toString(), batchId, download, end);
        carry = Buffer.alloc(0);
      };
      return {
        chunk: push,
        end: flush,
        fail() {},
        cancel() {},
        json() {},
        text(download, value) {
          push(download, value);
          flush(download);
        },
      };
    },
  };
}
