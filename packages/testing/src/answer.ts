import { validateHeaderName, validateHeaderValue } from 'node:http';

/**
 * What the simulator answers to one HTTP request, as plain data. Everything has a default: `{}` is a
 * short, complete message.
 *
 * - **ending**: what happens instead of the end of an answer.
 */
export interface Answer {
  /** HTTP status; default 200. From 400 on the body is an error. */
  readonly status?: number | undefined;
  /** Added to the usual ones; an empty value takes a usual one away. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Text, or content blocks of the API. */
  readonly content?: string | readonly ContentBlock[] | undefined;
  /** A thinking block before the content. */
  readonly thinking?: string | undefined;
  /** The model that serves the answer; default the one asked for. */
  readonly model?: string | undefined;
  /** Message id. */
  readonly id?: string | undefined;
  readonly stopReason?: string | undefined;
  readonly stopSequence?: string | null | undefined;
  readonly stopDetails?: unknown;
  /** Overrides, field by field, what is counted from the request and the answer. */
  readonly usage?: SimulatedUsage | undefined;
  /** The error of a status from 400 on, or of the ending `error`. */
  readonly error?: SimulatedError | undefined;
  /** Pauses; default none. */
  readonly timing?: Timing | undefined;
  /** Characters of text in a delta; default 20. */
  readonly chunkText?: number | undefined;
  /** Default `complete`. */
  readonly ending?: Ending | undefined;
  /**
   * Events of a stream before the ending takes place; default all but the last two. A JSON body is
   * cut after half of its bytes, with 0 before its first.
   */
  readonly endAfterEvents?: number | undefined;
  /** `reset` and `hang` take place before the headers. */
  readonly beforeHeaders?: boolean | undefined;
  /** Exactly this body, instead of a message: recorded, or malformed. */
  readonly body?: string | undefined;
}

/**
 * - `truncated`: the connection is closed properly, but too early. `reset`: it is torn down.
 * - `hang`: nothing more is sent, until the client leaves.
 * - `error`: an `event: error` in a stream whose status was 200. Without a stream, the error comes as
 *   a status.
 */
export type Ending = 'complete' | 'truncated' | 'reset' | 'hang' | 'error';

/** Any content block of the API. */
export interface ContentBlock {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Fields of `usage` as the API sends them. */
export interface SimulatedUsage {
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cache_creation_input_tokens?: number | null;
  readonly cache_read_input_tokens?: number | null;
  readonly cache_creation?: {
    readonly ephemeral_5m_input_tokens: number;
    readonly ephemeral_1h_input_tokens: number;
  } | null;
  readonly server_tool_use?: Readonly<Record<string, number>> | null;
  readonly service_tier?: string | null;
  readonly inference_geo?: string | null;
  readonly speed?: string | null;
  readonly output_tokens_details?: { readonly thinking_tokens: number } | null;
  readonly iterations?: readonly Readonly<Record<string, unknown>>[] | null;
  readonly [field: string]: unknown;
}

export interface SimulatedError {
  readonly type?: string | undefined;
  readonly message?: string | undefined;
  /** `error.details.error_code`. */
  readonly code?: string | undefined;
}

/** Milliseconds. */
export interface Timing {
  /** Before the headers. */
  readonly headersMs?: number | undefined;
  /** After the headers, before the first event of a stream. */
  readonly firstEventMs?: number | undefined;
  /** Between two events of a stream. */
  readonly betweenMs?: number | undefined;
}

const ENDINGS: readonly unknown[] = ['complete', 'truncated', 'reset', 'hang', 'error'];
const MAX_PAUSE_MS = 3_600_000;

type Check = readonly [allowed: string, ok: (value: unknown) => boolean];
const text: Check = ['a string', (value) => typeof value === 'string'];
const object: Check = ['an object', isObject];
const whole = (min: number, max: number): Check => [
  `an integer from ${min} to ${max}`,
  (value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max,
];
const pause: Check = [
  `milliseconds from 0 to ${MAX_PAUSE_MS}`,
  (value) => typeof value === 'number' && value >= 0 && value <= MAX_PAUSE_MS,
];

const FIELDS: Readonly<Record<keyof Answer, Check>> = {
  status: whole(200, 599),
  headers: [
    'an object of strings that HTTP can send',
    (value) => isObject(value) && Object.entries(value).every(isHeader),
  ],
  content: [
    'a string, or an array of content blocks',
    (value) =>
      isText(value) ||
      (Array.isArray(value) && value.every((block) => isObject(block) && isText(block['type']))),
  ],
  thinking: text,
  model: text,
  id: text,
  stopReason: text,
  stopSequence: ['a string or null', (value) => value === null || isText(value)],
  stopDetails: ['anything', () => true],
  usage: object,
  error: object,
  timing: object,
  chunkText: whole(1, 10_000_000),
  ending: [`one of ${ENDINGS.join(', ')}`, (value) => ENDINGS.includes(value)],
  endAfterEvents: whole(0, 1_000_000),
  beforeHeaders: ['true or false', (value) => typeof value === 'boolean'],
  body: text,
};

const TIMING: Readonly<Record<keyof Timing, Check>> = {
  headersMs: pause,
  firstEventMs: pause,
  betweenMs: pause,
};
const ERROR: Readonly<Record<keyof SimulatedError, Check>> = {
  type: text,
  message: text,
  code: text,
};

/** @throws TypeError naming the field, its value and what is allowed. */
export function checkAnswer(where: string, answer: unknown): Answer {
  checkFields(where, 'answer', answer, FIELDS);
  const { timing, error, ending, beforeHeaders } = answer as Answer;
  if (timing) checkFields(where, 'answer.timing', timing, TIMING);
  if (error) checkFields(where, 'answer.error', error, ERROR);
  if (beforeHeaders === true && ending !== 'reset' && ending !== 'hang') {
    fail(where, 'answer.beforeHeaders', 'given with the ending reset or hang', true);
  }
  return answer as Answer;
}

export function checkFields(
  where: string,
  path: string,
  value: unknown,
  fields: Readonly<Record<string, Check>>,
): void {
  if (!isObject(value)) fail(where, path, 'an object', value);
  for (const [name, field] of Object.entries(value)) {
    const check = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (!check) {
      throw new TypeError(
        `[claude-metrics] ${where}: there is no ${path}.${name.slice(0, 64)}. ` +
          `Fields are: ${Object.keys(fields).join(', ')}.`,
      );
    }
    if (field !== undefined && !check[1](field)) fail(where, `${path}.${name}`, check[0], field);
  }
}

export function fail(where: string, path: string, allowed: string, value: unknown): never {
  const shown = typeof value === 'object' && value !== null ? 'an object' : JSON.stringify(value);
  throw new TypeError(
    `[claude-metrics] ${where}: ${path} must be ${allowed}, got ${String(shown).slice(0, 80)}.`,
  );
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isHeader([name, value]: [string, unknown]): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value as string);
    return isText(value);
  } catch {
    return false;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
