import { isObject, type Answer, type ContentBlock, type SimulatedUsage } from './answer.js';
import { makeId } from './ids.js';
import type { PromptCache } from './prompt-cache.js';
import { firstTokens, tokensIn } from './tokens.js';
import { usageOf } from './usage.js';

/** The message of an answer, in the shape of the API. */
export interface Message {
  readonly id: string;
  readonly type: 'message';
  readonly role: 'assistant';
  readonly model: string;
  readonly content: readonly ContentBlock[];
  readonly stop_reason: string;
  readonly stop_sequence: string | null;
  readonly stop_details: unknown;
  readonly usage: SimulatedUsage;
}

const DEFAULT_TEXT = 'Here is an answer of ordinary length, as plain as it can be.';

export function messageOf(body: unknown, answer: Answer, cache: PromptCache): Message {
  const request = isObject(body) ? body : {};
  const limit = typeof request['max_tokens'] === 'number' ? request['max_tokens'] : Infinity;
  const written = contentOf(answer);
  const { content, cut } = limited(written, limit);
  return {
    id: answer.id ?? makeId('msg'),
    type: 'message',
    role: 'assistant',
    model: answer.model ?? String(request['model']),
    content,
    stop_reason: answer.stopReason ?? (cut ? 'max_tokens' : 'end_turn'),
    stop_sequence: answer.stopSequence ?? null,
    stop_details: answer.stopDetails ?? null,
    usage: usageOf(body, content, answer, cache),
  };
}

function contentOf({ content = DEFAULT_TEXT, thinking }: Answer): ContentBlock[] {
  const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : [...content];
  if (thinking === undefined) return blocks;
  const signature = Buffer.from(`signature of ${thinking.length}`).toString('base64');
  return [{ type: 'thinking', thinking, signature }, ...blocks];
}

/** Text beyond `max_tokens` is cut, as the API does. */
function limited(blocks: readonly ContentBlock[], limit: number) {
  let room = limit;
  const content: ContentBlock[] = [];
  for (const block of blocks) {
    const text = block['text'];
    if (block.type !== 'text' || typeof text !== 'string') {
      content.push(block);
      room -= block.type === 'thinking' ? tokensIn(block['thinking']) : 0;
      continue;
    }
    const tokens = tokensIn(text);
    if (tokens > room) {
      content.push({ ...block, text: firstTokens(text, room) });
      return { content, cut: true };
    }
    content.push(block);
    room -= tokens;
  }
  return { content, cut: false };
}
