/**
 * Tokens, counted at four bytes each: not the API's tokenizer, but figures that behave like it.
 */
const BYTES_PER_TOKEN = 4;

export function tokensIn(value: unknown): number {
  const bytes = Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value ?? ''));
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}
