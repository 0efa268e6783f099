import { addJson, jsonBytes, visit, type JsonWalk } from './json-bytes.js';

/**
 * The size of what a request gives the model to read: content blocks and tools.
 *
 * - **text bytes**: UTF-8 bytes. A token is one byte at least, so they bound its tokens. What is
 *   opaque (signatures, encrypted results) stands for its own bytes.
 * - **fixed tokens**: billed and not in the body: what Anthropic adds, and images, which cost by
 *   pixels.
 * - **unbounded part**: with it the provider decides how much is read: no size bounds the bill.
 */
export interface ContentWalk extends JsonWalk {
  fixedTokens: number;
  fillsWindow: boolean;
  webSearches: number;
  cacheTtl: '5m' | '1h' | null;
  /** Bits of `PART`. */
  parts: number;
  hasTools: boolean;
  /** Bytes of the largest definition: a reference to a tool brings one again. */
  largestTool: number;
}

export type UnboundedPart = keyof typeof PART;
export type Fields = Readonly<Record<string, unknown>>;

export const PART = {
  /** Web search, web fetch, code execution, tool search: the server calls the model again. */
  server_tool: 1,
  url_source: 1 << 1,
  file_source: 1 << 2,
  mcp: 1 << 3,
  container: 1 << 4,
  skills: 1 << 5,
  compaction: 1 << 6,
  /** An edit of the context that is not known to only remove. */
  context_management: 1 << 7,
  advisor: 1 << 8,
  fallbacks: 1 << 9,
  thread: 1 << 10,
  /** A field, tool or source of an API younger than this. */
  unknown: 1 << 11,
  unreadable: 1 << 12,
} as const;

/**
 * Anthropic documents: an image at most 4,784 tokens (1,568 before Claude 4.7); the system prompt of
 * tool use at most 804; bash 325, text editor 700, computer 735 + 499. "Slightly more" is documented
 * for citations, and nothing for the rest: guesses on the safe side.
 */
const MESSAGE = 16;
const BLOCK = 16;
const IMAGE = 4_784;
const CITATIONS = 1_024;
const TOOL_USE = 1_024;
const TOOL = 64;

/** By the beginning of `type`; the first that fits. */
const TOOLS: readonly (readonly [prefix: string, tokens: number, part: number])[] = [
  ['bash_', 512, 0],
  ['text_editor_', 1_024, 0],
  ['computer_toolset_', 8_192, 0],
  ['computer_', 2_048, 0],
  ['browser_toolset_', 16_384, 0],
  // The application keeps the files: no loop on the server.
  ['memory_', 2_048, 0],
  ['web_search_', 2_048, PART.server_tool],
  ['web_fetch_', 2_048, PART.server_tool],
  ['code_execution_', 2_048, PART.server_tool],
  ['tool_search_tool_', 2_048, PART.server_tool],
  ['advisor_', 2_048, PART.advisor],
  ['mcp_toolset', 0, PART.mcp],
  ['', 2_048, PART.server_tool | PART.unknown],
];

/** Deeper than a document in the result of a tool. */
const MAX_DEPTH = 8;

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && Number.isSafeInteger(value);
}

export function addCacheControl(walk: ContentWalk, value: unknown): void {
  if (value === undefined || value === null) return;
  const { ttl } = value as Fields;
  // A lifetime that does not exist yet is taken for the dearest.
  if (ttl !== undefined && ttl !== null && ttl !== '5m') walk.cacheTtl = '1h';
  else walk.cacheTtl ??= '5m';
}

export function addMessage(walk: ContentWalk, value: unknown): void {
  visit(walk);
  const message = fieldsOf(walk, value);
  walk.fixedTokens += MESSAGE;
  for (const key in message) {
    const field = message[key];
    if (key === 'content') addContent(walk, field, 0);
    else if (key !== 'role') addOther(walk, key, field);
  }
}

/** Text, one block, or a list of them. */
export function addContent(walk: ContentWalk, content: unknown, depth: number): void {
  if (typeof content === 'string') {
    walk.textBytes += Buffer.byteLength(content);
  } else if (Array.isArray(content)) {
    for (let i = 0; i < content.length; i += 1) addBlock(walk, content[i], depth);
  } else if (content !== undefined && content !== null) {
    addBlock(walk, content, depth);
  }
}

function addBlock(walk: ContentWalk, value: unknown, depth: number): void {
  visit(walk);
  if (typeof value !== 'object' || value === null) return addJson(walk, value);
  if (depth > MAX_DEPTH) throw new RangeError('content too deep');
  const block = fieldsOf(walk, value);
  const { type } = block;
  const before = walk.textBytes;
  let cited = false;
  walk.fixedTokens += BLOCK;
  for (const key in block) {
    const field = block[key];
    if (field === undefined || field === null) continue;
    switch (key) {
      case 'type':
        break;
      case 'text':
      case 'thinking':
        if (typeof field === 'string') walk.textBytes += Buffer.byteLength(field);
        else addJson(walk, field);
        break;
      case 'content':
      case 'tool_changes':
        addContent(walk, field, depth + 1);
        break;
      case 'source':
        addSource(walk, field, type === 'image', depth + 1);
        break;
      case 'tool':
        addToolChange(walk, field);
        break;
      case 'cache_control':
        addCacheControl(walk, field);
        break;
      default:
        cited ||= key === 'citations' && (field as Fields)['enabled'] === true;
        addOther(walk, key, field);
    }
  }
  if (type === 'image') walk.fixedTokens += IMAGE;
  else if (type === 'tool_reference') walk.textBytes += walk.largestTool;
  else if (type === 'container_upload') walk.parts |= PART.container;
  // A cited document is cut into sentences, each with a mark.
  if (cited) {
    walk.textBytes += walk.textBytes - before;
    walk.fixedTokens += CITATIONS;
  }
}

function addSource(walk: ContentWalk, value: unknown, isImage: boolean, depth: number): void {
  // The source of a search result is a name.
  if (typeof value === 'string') return addOther(walk, 'source', value);
  const source = fieldsOf(walk, value);
  switch (source['type']) {
    case 'base64':
      if (!isImage) walk.fillsWindow = true;
      return;
    case 'text':
      addContent(walk, source['data'], depth);
      return;
    case 'content':
      addContent(walk, source['content'], depth);
      return;
    case 'url':
      walk.parts |= PART.url_source;
      return;
    case 'file':
      walk.parts |= PART.file_source;
      return;
    default:
      walk.parts |= PART.unknown;
      walk.fillsWindow = true;
  }
}

/** What has no rule of its own: its JSON. */
function addOther(walk: ContentWalk, key: string, field: unknown): void {
  walk.textBytes += jsonBytes(key) + 4;
  addJson(walk, field);
}

/** A tool by name, or defined in the middle of the conversation. */
function addToolChange(walk: ContentWalk, value: unknown): void {
  const { definition } = value as Fields;
  if (definition !== undefined && definition !== null) return addTool(walk, definition);
  addJson(walk, value);
  walk.textBytes += walk.largestTool;
}

export function addTool(walk: ContentWalk, value: unknown): void {
  const tool = fieldsOf(walk, value);
  const { type, cache_control: cacheControl } = tool;
  const before = walk.textBytes;
  addJson(walk, tool);
  walk.largestTool = Math.max(walk.largestTool, walk.textBytes - before);
  walk.fixedTokens += walk.hasTools ? TOOL : TOOL + TOOL_USE;
  walk.hasTools = true;
  addCacheControl(walk, cacheControl);
  if (type === undefined || type === null || type === 'custom') return;

  const name = String(type);
  const [prefix, tokens, part] = TOOLS.find(([each]) => name.startsWith(each)) as Kind;
  walk.fixedTokens += tokens;
  walk.parts |= part;
  if (prefix === 'web_search_') {
    const { max_uses: uses } = tool;
    walk.webSearches += isCount(uses) ? uses : Infinity;
  }
}

type Kind = (typeof TOOLS)[number];

/** @throws for what is no object. One that makes its own JSON is not what it looks like. */
export function fieldsOf(walk: ContentWalk, value: unknown): Fields {
  if (typeof value !== 'object' || value === null) throw new TypeError('no object');
  const fields = value as Fields;
  if (typeof fields['toJSON'] === 'function') walk.parts |= PART.unreadable;
  return fields;
}
