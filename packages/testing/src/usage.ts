import { isObject, type Answer, type ContentBlock, type SimulatedUsage } from './answer.js';
import type { PromptCache } from './prompt-cache.js';
import { tokensIn } from './tokens.js';

/**
 * Usage counted from a request and its answer: longer prompts cost more, and what was cached is read.
 */

/** What the API adds for its own framing of a conversation. */
const OVERHEAD = 7;

/** Tokens of everything that is sent to the model. */
export function promptTokens(body: unknown): number {
  if (!isObject(body)) return 0;
  const { tools, system, messages } = body;
  let tokens = OVERHEAD;
  for (const part of [tools, system, messages]) if (part !== undefined) tokens += tokensIn(part);
  return tokens;
}

/** `usage` of an answer, with every field that the API sends. */
export function usageOf(
  body: unknown,
  content: readonly ContentBlock[],
  answer: Answer,
  cache: PromptCache,
): SimulatedUsage {
  const cached = cache.use(body);
  const thinking = content.reduce(
    (sum, { thinking: text }) => sum + (text ? tokensIn(text) : 0),
    0,
  );
  const output = content.reduce((sum, block) => sum + outputTokens(block), 0);
  const { speed, inference_geo: geo } = isObject(body) ? body : {};
  const usage: SimulatedUsage = {
    input_tokens: Math.max(1, promptTokens(body) - cached.read - cached.write5m - cached.write1h),
    cache_creation_input_tokens: cached.write5m + cached.write1h,
    cache_read_input_tokens: cached.read,
    cache_creation: {
      ephemeral_5m_input_tokens: cached.write5m,
      ephemeral_1h_input_tokens: cached.write1h,
    },
    output_tokens: Math.max(content.length === 0 ? 0 : 1, output),
    output_tokens_details: thinking > 0 ? { thinking_tokens: thinking } : null,
    server_tool_use: null,
    service_tier: 'standard',
    inference_geo: typeof geo === 'string' ? geo : 'global',
    ...(typeof speed === 'string' ? { speed } : {}),
  };
  return { ...usage, ...answer.usage };
}

function outputTokens(block: ContentBlock): number {
  if (block.type === 'text') return tokensIn(block['text']);
  if (block.type === 'thinking') return tokensIn(block['thinking']);
  if (block.type.endsWith('_result')) return 0;
  return tokensIn(block['input'] ?? block);
}
