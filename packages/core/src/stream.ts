import { deltaKind, joined, TEXT, textOf, THINKING, TOOL_INPUT } from './deltas.js';
import { createHeld } from './held.js';
import type { Usage } from './record.js';

/**
 * Reads usage and times off the bytes of an event stream while somebody else consumes them.
 *
 * It looks at line beginnings and decodes the two or three events that carry usage; deltas are only
 * counted. Nothing is kept of them, and nothing is allocated for them.
 *
 * - **scan**: the state of reading one stream.
 * - **dispatch**: an event is complete at the empty line after it, as for every SSE reader.
 */
export interface Scan {
  /** `at`: when it came, for as long as there is no text yet. */
  push(chunk: unknown, at: number): void;
  /** Reads what was put off, so that it would not delay the first token. */
  settle(): void;
  /** `message_stop` was seen. */
  readonly complete: boolean;
  /** The data of an `error` event. */
  readonly error: string | null;
}

/** What is told by a stream, in the order in which it comes. Times are of the clock handed in. */
export interface StreamFacts {
  messageId: string | null;
  model: string | null;
  /** `message_start` overwritten by every non-null field of each `message_delta`. */
  usage: Usage | null;
  stopReason: string | null;
  /** `message_delta` has told the final number of output tokens. */
  outputKnown: boolean;
  hasOutput: boolean;
  /** UTF-8 bytes of text, thinking and tool input in the deltas. */
  outputBytes: number;
  firstEventAt: number | null;
  firstDeltaAt: number | null;
  firstThinkingAt: number | null;
  firstTextAt: number | null;
}

const enum EventKind {
  None,
  Other,
  Delta,
  MessageStart,
  MessageDelta,
  MessageStop,
  Error,
}

const LF = 10;
const CR = 13;
const SPACE = 32;
/** A line that carries usage is short; what is longer is no such line and is not worth keeping. */
const MAX_LINE = 1024 * 1024;

/** Writes what it reads into `facts`, as it reads it. */
export function createScan(facts: StreamFacts): Scan {
  const held = createHeld();
  let at = 0;
  let complete = false;
  let error: string | null = null;
  /** The data of `message_start`. */
  let start: string | null = null;
  let event = EventKind.None;
  let data = '';
  /** The unfinished line at the end of the last chunk. */
  let carry: Uint8Array | null = null;
  let skippingLine = false;

  function push(chunk: unknown, cameAt: number): void {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Uint8Array);
    if (held.take(bytes, cameAt)) return;
    release();
    at = cameAt;
    take(bytes);
  }

  function release(): void {
    held.release((bytes, cameAt) => {
      at = cameAt;
      take(bytes);
    });
  }

  function take(bytes: Uint8Array): void {
    let from = 0;
    if (carry !== null || skippingLine) {
      const end = bytes.indexOf(LF);
      if (end === -1) {
        keepTail(bytes, 0);
        return;
      }
      if (carry !== null) {
        const line = joined(carry, bytes.subarray(0, end));
        carry = null;
        takeLine(line, 0, line.length);
      }
      skippingLine = false;
      from = end + 1;
    }
    for (;;) {
      const end = bytes.indexOf(LF, from);
      if (end === -1) break;
      takeLine(bytes, from, end);
      from = end + 1;
    }
    if (from < bytes.length) keepTail(bytes, from);
  }

  function keepTail(bytes: Uint8Array, start: number): void {
    if (skippingLine) return;
    if ((carry?.length ?? 0) + bytes.length - start > MAX_LINE) {
      carry = null;
      skippingLine = true;
    } else {
      // A copy: the chunk belongs to whoever reads the stream.
      carry = carry ? joined(carry, bytes.subarray(start)) : new Uint8Array(bytes.subarray(start));
    }
  }

  function takeLine(line: Uint8Array, from: number, to: number): void {
    const end = to > from && line[to - 1] === CR ? to - 1 : to;
    const start = line[from] === 0xef && line[from + 1] === 0xbb ? from + 3 : from;
    if (end <= start) {
      if (event !== EventKind.None) dispatch();
      return;
    }
    // `event:` and `data:`; everything else in SSE is of no interest here.
    if (line[start] === 101 && line[start + 5] === 58) {
      event = eventKind(line, valueStart(line, start + 6), end);
    } else if (line[start] === 100 && line[start + 4] === 58) {
      if (event === EventKind.Delta) takeDelta(line, start, end);
      else if (event > EventKind.Delta) data += textOf(line, valueStart(line, start + 5), end);
    }
  }

  function takeDelta(line: Uint8Array, start: number, end: number): void {
    const kind = deltaKind(line, start, end);
    facts.outputBytes += Math.max(0, end - start - kind.envelope);
    if (facts.firstTextAt !== null) return;
    facts.hasOutput = true;
    facts.firstDeltaAt ??= at;
    if (kind === THINKING) facts.firstThinkingAt ??= at;
    else if (kind === TEXT || kind === TOOL_INPUT) facts.firstTextAt = at;
  }

  function dispatch(): void {
    const kind = event;
    const text = data;
    event = EventKind.None;
    data = '';
    if (kind === EventKind.Delta) return;
    facts.firstEventAt ??= at;
    if (kind === EventKind.MessageStart) start = text;
    else if (kind === EventKind.MessageDelta) takeMessageDelta(parsed(text));
    else if (kind === EventKind.MessageStop) complete = true;
    else if (kind === EventKind.Error) error ??= text;
  }

  function settle(): void {
    release();
    if (start === null) return;
    const message = parsed(start)?.['message'];
    start = null;
    if (!isObject(message)) return;
    facts.messageId = stringOf(message['id']);
    facts.model = stringOf(message['model']);
    facts.stopReason = stringOf(message['stop_reason']);
    if (isObject(message['usage'])) facts.usage = message['usage'];
  }

  function takeMessageDelta(message: Record<string, unknown> | null): void {
    settle();
    const delta = message?.['delta'];
    if (isObject(delta)) facts.stopReason = stringOf(delta['stop_reason']) ?? facts.stopReason;
    const usage = message?.['usage'];
    if (!isObject(usage)) return;
    facts.usage = mergeUsage(facts.usage, usage);
    if (typeof usage['output_tokens'] === 'number') facts.outputKnown = true;
  }

  return {
    push,
    settle,
    get complete() {
      return complete;
    },
    get error() {
      return error;
    },
  };
}

/** The SDK's own rule: cumulative fields overwrite, absent and null ones leave what was. */
function mergeUsage(usage: Usage | null, delta: Record<string, unknown>): Usage {
  const merged: Record<string, unknown> = { ...usage };
  for (const field of Object.keys(delta)) {
    const value = delta[field];
    if (value !== null && value !== undefined) merged[field] = value;
  }
  return merged;
}

/** Told apart by length and one letter, which is all that differs between the API's event names. */
function eventKind(line: Uint8Array, start: number, end: number): EventKind {
  const length = end - start;
  const first = line[start];
  if (first === 99 /* c */) {
    return length === 19 && line[start + 14] === 100 /* content_block_d… */
      ? EventKind.Delta
      : EventKind.Other;
  }
  if (first === 109 /* m */ && line[start + 7] === 95 /* message_ */) {
    if (length === 13 && line[start + 8] === 115) return EventKind.MessageStart;
    if (length === 13 && line[start + 8] === 100) return EventKind.MessageDelta;
    if (length === 12 && line[start + 8] === 115) return EventKind.MessageStop;
  }
  return first === 101 /* e */ && length === 5 ? EventKind.Error : EventKind.Other;
}

function valueStart(line: Uint8Array, at: number): number {
  return line[at] === SPACE ? at + 1 : at;
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function stringOf(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}
