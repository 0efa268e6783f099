import type { BodyWatcher } from './body.js';
import type { Answer, Call } from './call.js';
import { describeError, describeEvent, describeResponse } from './errors.js';
import type { CallError, Outcome, Usage } from './record.js';
import { createScan } from './stream.js';

/**
 * What the three kinds of answer (a message, a stream, an error) tell while they are read, and how
 * each of them ends its call.
 */
export type End = (call: Call, outcome: Outcome, error?: CallError) => void;

/** A JSON body that somebody reads piecemeal is kept up to here, to find its usage. */
const MAX_BODY_BYTES = 16 * 1024 * 1024;
/** With this undici cancels the body of a Response that was collected unread. */
const COLLECTED = 'Response object has been garbage collected';

export function streamReading(now: () => number, end: End): BodyWatcher<Call> {
  /** Ends the call if its stream has told how. */
  const told = (call: Call): boolean => {
    const { scan } = call;
    if (scan?.complete) end(call, outcomeOf(call.answer));
    else if (scan && scan.error !== null) end(call, 'error', describeEvent(scan.error));
    else return false;
    return true;
  };
  const toldAtLast = (call: Call): boolean => {
    call.scan?.settle();
    return told(call);
  };
  const reading: BodyWatcher<Call> = {
    chunk(call, bytes) {
      call.reads += 1;
      const scan = (call.scan ??= createScan(call.answer));
      scan.push(bytes, call.answer.firstTextAt === null ? now() : 0);
      told(call);
    },
    end(call) {
      if (toldAtLast(call)) return;
      end(call, 'truncated', {
        kind: 'connection',
        type: 'truncated',
        message: 'The stream ended before message_stop.',
      });
    },
    fail(call, error) {
      if (!toldAtLast(call)) failed(call, error, end);
    },
    cancel(call, reason) {
      if (!toldAtLast(call)) left(call, reason, end);
    },
    // The SDK reads no event stream as a whole; whoever does gets the same figures.
    json() {},
    text(call, value) {
      reading.chunk(call, value);
      reading.end(call);
    },
  };
  return reading;
}

export function messageReading(end: End): BodyWatcher<Call> {
  const whole = (call: Call, text: string | null) => {
    if (text === null) return end(call, 'ok');
    try {
      takeMessage(call.answer, JSON.parse(text));
    } catch (error) {
      return failed(call, error, end);
    }
    end(call, outcomeOf(call.answer));
  };
  return {
    chunk(call, bytes) {
      call.reads += 1;
      (call.buffer ??= createBuffer()).push(bytes);
    },
    end: (call) => whole(call, call.buffer === null ? '' : call.buffer.text()),
    fail: (call, error) => failed(call, error, end),
    cancel: (call, reason) => left(call, reason, end),
    json(call, value) {
      takeMessage(call.answer, value);
      end(call, outcomeOf(call.answer));
    },
    text: whole,
  };
}

/**
 * An error answer. The SDK takes its text when the error is final and cancels it unread when it is
 * going to retry, and does neither to a copy; so only the text ends the call.
 */
export function errorReading(
  status: number,
  headers: Headers,
  end: End,
  retried: (call: Call) => void,
): BodyWatcher<Call> {
  const buffer = createBuffer();
  const describe = (call: Call, text: string | null) => {
    const error = describeResponse(status, text, headers);
    call.error = error;
    const last = call.attempts[call.attempts.length - 1];
    if (last) last.errorKind = error.kind;
    return error;
  };
  return {
    chunk: (_call, bytes) => buffer.push(bytes),
    end(call) {
      describe(call, buffer.text());
    },
    fail: (call) => end(call, 'error', describe(call, null)),
    cancel: retried,
    json() {},
    text: (call, value) => end(call, 'error', describe(call, value)),
  };
}

/** Reading threw: the application's abort, or a connection that was lost with the money spent. */
export function failed(call: Call, error: unknown, end: End): void {
  if (isAbort(error) || call.signal?.aborted === true) end(call, 'aborted');
  else end(call, 'error', describeError(error));
}

function left(call: Call, reason: unknown, end: End): void {
  if (reason === COLLECTED) end(call, 'abandoned');
  else end(call, call.signal?.aborted === true ? 'aborted' : 'cancelled');
}

export function outcomeOf(answer: Answer): Outcome {
  return answer.stopReason === 'refusal' ? 'refused' : 'ok';
}

function isAbort(error: unknown): boolean {
  return (error as { name?: unknown } | null | undefined)?.name === 'AbortError';
}

export function takeMessage(answer: Answer, value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const message = value as Record<string, unknown>;
  const { id, model, usage, content } = message;
  answer.messageId = typeof id === 'string' ? id : null;
  answer.model = typeof model === 'string' ? model : null;
  answer.usage = typeof usage === 'object' && usage !== null ? (usage as Usage) : null;
  const stop = message['stop_reason'];
  answer.stopReason = typeof stop === 'string' ? stop : null;
  answer.hasOutput = Array.isArray(content) && content.length > 0;
  answer.outputKnown = true;
}

export interface Buffered {
  push(bytes: unknown): void;
  /** `null` when there was more than is kept. */
  text(): string | null;
}

function createBuffer(): Buffered {
  let chunks: Uint8Array[] | null = [];
  let size = 0;
  return {
    push(bytes: unknown) {
      const chunk = typeof bytes === 'string' ? Buffer.from(bytes) : (bytes as Uint8Array);
      size += chunk.length;
      // A copy: the reader may do with its chunk what it likes.
      if (size <= MAX_BODY_BYTES) chunks?.push(new Uint8Array(chunk));
      else chunks = null;
    },
    text: () => (chunks === null ? null : Buffer.concat(chunks).toString()),
  };
}
