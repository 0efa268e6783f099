/**
 * Tokens, counted at four bytes each: not the API's tokenizer, but figures that behave like it.
 */
const BYTES_PER_TOKEN = 4;

export function tokensIn(value: unknown): number {
  const bytes = Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value ?? ''));
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

/** The beginning of a text that has no more tokens than this; no character is cut in two. */
export function firstTokens(text: string, tokens: number): string {
  const bytes = Buffer.from(text).subarray(0, Math.max(0, tokens) * BYTES_PER_TOKEN);
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes, { stream: true });
}
