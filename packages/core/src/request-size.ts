import {
  addCacheControl,
  addContent,
  addMessage,
  addTool,
  fieldsOf,
  isCount,
  PART,
  type ContentWalk,
  type UnboundedPart,
} from './content-size.js';
import { addJson } from './json-bytes.js';

export type { UnboundedPart } from './content-size.js';

/**
 * How large a request is, in one walk over its body, whatever the model; text bytes, fixed tokens
 * and unbounded parts are explained in `content-size.ts`. Nothing of the body is kept.
 */
export interface RequestSize {
  readonly textBytes: number;
  readonly fixedTokens: number;
  /** It holds something that only the context window bounds: a PDF. */
  readonly fillsWindow: boolean;
  /** `null`: none was given that could be one. */
  readonly maxTokens: number | null;
  /** `thinking.budget_tokens`; 0 without one. */
  readonly thinkingTokens: number;
  /** Sum of the `max_uses` of all web searches; `Infinity` when one has none. */
  readonly webSearches: number;
  /** The dearest `cache_control` anywhere in the request. */
  readonly cacheTtl: '5m' | '1h' | null;
  /** As asked. */
  readonly fast: boolean;
  readonly geo: string | null;
  /** The Priority Tier was asked for: it is paid by contract. */
  readonly priority: boolean;
  /** Empty for almost every request. */
  readonly unbounded: readonly UnboundedPart[];
}

const PARTS = Object.keys(PART) as UnboundedPart[];
const NONE: readonly UnboundedPart[] = Object.freeze([]);

/** Billed with every request; and with a schema for the answer ("slightly more", says Anthropic). */
const REQUEST = 64;
const OUTPUT_FORMAT = 1_024;

interface Walk extends ContentWalk {
  maxTokens: number | null;
  thinkingTokens: number;
  fast: boolean;
  geo: string | null;
  priority: boolean;
}

/**
 * The size of the body of a request to the Messages API, an object or its JSON text. Never throws:
 * a body that cannot be read (it throws, has no end, is no object) fills the window.
 *
 * @param options.threaded It belongs to a message thread, whose earlier turns the server has.
 *
 * @example
 * requestSizeOf({
 *   model: 'claude-opus-5-5',
 *   max_tokens: 500,
 *   messages: [{ role: 'user', content: 'Grüezi' }],
 * }).textBytes; // 7
 */
export function requestSizeOf(body: unknown, options?: { threaded?: boolean }): RequestSize {
  const walk: Walk = {
    textBytes: 0,
    values: 0,
    fixedTokens: REQUEST,
    fillsWindow: false,
    webSearches: 0,
    cacheTtl: null,
    parts: options?.threaded === true ? PART.thread : 0,
    hasTools: false,
    largestTool: 0,
    maxTokens: null,
    thinkingTokens: 0,
    fast: false,
    geo: null,
    priority: false,
  };
  try {
    addBody(walk, typeof body === 'string' ? JSON.parse(body) : body);
  } catch {
    // What was not reached may be anything; nor will the SDK make JSON of it.
    walk.parts |= PART.unreadable;
    walk.fillsWindow = true;
    walk.cacheTtl = '1h';
  }
  return {
    textBytes: walk.textBytes,
    fixedTokens: walk.fixedTokens,
    fillsWindow: walk.fillsWindow,
    maxTokens: walk.maxTokens,
    thinkingTokens: walk.thinkingTokens,
    webSearches: walk.webSearches,
    cacheTtl: walk.cacheTtl,
    fast: walk.fast,
    geo: walk.geo,
    priority: walk.priority,
    unbounded:
      walk.parts === 0
        ? NONE
        : Object.freeze(PARTS.filter((part) => (walk.parts & PART[part]) !== 0)),
  };
}

function addBody(walk: Walk, value: unknown): void {
  const body = fieldsOf(walk, value);
  // Before the messages, which may refer to them.
  addEach(walk, body['tools'], addTool);
  for (const key in body) {
    const field = body[key];
    if (field !== undefined && field !== null) addField(walk, key, field);
  }
}

function addField(walk: Walk, key: string, field: unknown): void {
  switch (key) {
    case 'messages':
      return addEach(walk, field, addMessage);
    case 'system':
      return addContent(walk, field, 0);
    case 'max_tokens':
      if (isCount(field)) walk.maxTokens = field;
      return;
    case 'thinking': {
      const { type, budget_tokens: budget } = fieldsOf(walk, field);
      if (type === 'enabled' && isCount(budget)) walk.thinkingTokens = budget;
      return;
    }
    case 'cache_control':
      return addCacheControl(walk, field);
    case 'speed':
      walk.fast = field === 'fast';
      return;
    case 'inference_geo':
      if (typeof field === 'string') walk.geo = field;
      return;
    case 'service_tier':
      walk.priority = field === 'priority';
      return;
    case 'output_config':
    case 'output_format':
      walk.fixedTokens += OUTPUT_FORMAT;
      return addJson(walk, field);
    case 'tool_choice':
      return addJson(walk, field);
    // What the model does not read, and `tools`, which were first.
    case 'tools':
    case 'model':
    case 'stream':
    case 'metadata':
    case 'temperature':
    case 'top_p':
    case 'top_k':
    case 'stop_sequences':
    case 'diagnostics':
    case 'billing_policy':
    case 'fallback_credit_token':
    case 'betas':
    case 'user_profile_id':
    case 'workspace_id':
    case 'anthropic_version':
    case 'anthropic_beta':
      return;
    default:
      return addUnbounded(walk, key, field);
  }
}

function addUnbounded(walk: Walk, key: string, field: unknown): void {
  switch (key) {
    case 'mcp_servers':
      if (!isEmpty(field)) walk.parts |= PART.mcp;
      return;
    case 'container':
      walk.parts |= PART.container;
      if (typeof field === 'object' && !isEmpty((field as { skills?: unknown }).skills)) {
        walk.parts |= PART.skills;
      }
      return;
    case 'fallbacks':
      if (!isEmpty(field)) walk.parts |= PART.fallbacks;
      return;
    case 'compaction':
      walk.parts |= PART.compaction;
      return addJson(walk, field);
    case 'context_management':
      return addEach(walk, fieldsOf(walk, field)['edits'], addEdit);
    case 'thread':
      // A new thread reads what the request holds; a later turn all that the server has kept.
      if (fieldsOf(walk, field)['type'] !== 'create') walk.parts |= PART.thread;
      return;
    default:
      walk.parts |= PART.unknown;
      return addJson(walk, field);
  }
}

function addEdit(walk: Walk, value: unknown): void {
  const type = String(fieldsOf(walk, value)['type']);
  if (type.startsWith('compact_')) walk.parts |= PART.compaction;
  else if (!type.startsWith('clear_')) walk.parts |= PART.context_management;
  addJson(walk, value);
}

function addEach(walk: Walk, list: unknown, add: (walk: Walk, item: unknown) => void): void {
  if (list === undefined || list === null) return;
  if (!Array.isArray(list)) throw new TypeError('no list');
  for (let i = 0; i < list.length; i += 1) add(walk, list[i]);
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (Array.isArray(value) && value.length === 0);
}
