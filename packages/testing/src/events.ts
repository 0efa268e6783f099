import type { ContentBlock, SimulatedUsage } from './answer.js';
import type { Message } from './message.js';

/** A message as the events of a stream, in the order of the API. */
export interface StreamEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Of `usage`, what `message_delta` repeats: the cumulative figures, without the cache's split. */
const CUMULATIVE = [
  'input_tokens',
  'cache_creation_input_tokens',
  'cache_read_input_tokens',
  'output_tokens',
  'output_tokens_details',
  'server_tool_use',
  'iterations',
] as const;

export function* eventsOf(message: Message, chunkText: number): Generator<StreamEvent> {
  const { content, usage, stop_reason, stop_sequence, stop_details, ...rest } = message;
  const { iterations: _later, ...early } = usage;
  const start = {
    ...rest,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: { ...early, output_tokens: Math.min(1, usage.output_tokens ?? 0) },
  };
  yield { type: 'message_start', message: start };
  for (const [index, block] of content.entries()) {
    yield { type: 'content_block_start', index, content_block: opened(block) };
    if (index === 0) yield { type: 'ping' };
    for (const delta of deltasOf(block, chunkText)) {
      yield { type: 'content_block_delta', index, delta };
    }
    yield { type: 'content_block_stop', index };
  }
  yield {
    type: 'message_delta',
    delta: { stop_reason, stop_sequence, stop_details },
    usage: cumulative(usage),
  };
  yield { type: 'message_stop' };
}

export function encodeEvent(event: StreamEvent): string {
  return `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** A block as it begins: what its deltas bring is empty still. */
function opened(block: ContentBlock): ContentBlock {
  if (block.type === 'text') {
    const { citations: _later, ...rest } = block;
    return { ...rest, text: '' };
  }
  if (block.type === 'thinking') return { ...block, thinking: '', signature: '' };
  return 'input' in block ? { ...block, input: {} } : block;
}

function* deltasOf(block: ContentBlock, chunkText: number): Generator<object> {
  if (block.type === 'text') {
    const { citations } = block;
    if (Array.isArray(citations)) {
      for (const citation of citations) yield { type: 'citations_delta', citation };
    }
    for (const text of pieces(block['text'], chunkText)) yield { type: 'text_delta', text };
  } else if (block.type === 'thinking') {
    for (const thinking of pieces(block['thinking'], chunkText)) {
      yield { type: 'thinking_delta', thinking };
    }
    yield { type: 'signature_delta', signature: block['signature'] };
  } else if ('input' in block) {
    const json = JSON.stringify(block['input']);
    yield { type: 'input_json_delta', partial_json: '' };
    for (const partial_json of pieces(json, chunkText)) {
      yield { type: 'input_json_delta', partial_json };
    }
  }
}

/** Never between the two halves of a character. */
function* pieces(value: unknown, size: number): Generator<string> {
  const text = typeof value === 'string' ? value : '';
  for (let start = 0; start < text.length;) {
    let end = Math.min(start + size, text.length);
    if (/[\ud800-\udbff]/.test(text.charAt(end - 1)) && end < text.length) end += 1;
    yield text.slice(start, end);
    start = end;
  }
}

function cumulative(usage: SimulatedUsage): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  for (const name of CUMULATIVE) {
    if (usage[name] !== undefined && usage[name] !== null) found[name] = usage[name];
  }
  return found;
}
