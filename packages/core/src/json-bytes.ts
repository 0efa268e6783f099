/**
 * The size of values as JSON text, without making the text.
 *
 * - **walk**: counts the values it visits, so that a body without end (one that contains itself)
 *   ends the walk and not the process.
 */
export interface JsonWalk {
  /** Of JSON and plain text. */
  textBytes: number;
  /** Values visited so far. */
  values: number;
}

/** Every value is a byte at least, and no window holds more tokens than this. */
const MAX_VALUES = 1_000_000;
/** Deeper than any data, and far from the end of the stack. */
const MAX_DEPTH = 500;
const NUMBER_BYTES = 24;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** The widest way to write `, ` and `: `, with a space. */
const SEPARATOR = 2;
/** Made once: a stack trace would cost more than the walk. */
const ENDLESS = new Error('[claude-metrics] request size: the body has no end.');

/** Counts one value. @throws when there are too many. */
export function visit(walk: JsonWalk): void {
  walk.values += 1;
  if (walk.values > MAX_VALUES) throw ENDLESS;
}

/**
 * Adds at least the bytes of `JSON.stringify(value)` to the walk, spaces after separators included.
 *
 * @throws for what has no JSON, or no end.
 */
export function addJson(walk: JsonWalk, value: unknown, depth = 0): void {
  visit(walk);
  if (depth > MAX_DEPTH) throw ENDLESS;
  switch (typeof value) {
    case 'string':
      walk.textBytes += jsonBytes(value);
      return;
    case 'number':
      walk.textBytes += value >= 0 && value < 1e6 && Number.isInteger(value) ? 6 : NUMBER_BYTES;
      return;
    case 'bigint':
      throw ENDLESS;
    case 'object':
      if (value !== null) return addObject(walk, value, depth + 1);
    // falls through: whatever else there is becomes `null`, `true` or `false`
    default:
      walk.textBytes += 5;
  }
}

function addObject(walk: JsonWalk, value: object, depth: number): void {
  walk.textBytes += 2;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i += 1) {
      walk.textBytes += SEPARATOR;
      addJson(walk, value[i], depth);
    }
    return;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  const toJson = fields['toJSON'];
  if (typeof toJson === 'function') return addJson(walk, toJson.call(value, ''), depth);
  for (const key in fields) {
    const field = fields[key];
    if (field === undefined || typeof field === 'function') continue;
    walk.textBytes += jsonBytes(key) + 2 * SEPARATOR;
    addJson(walk, field, depth);
  }
}

/** Bytes of a string in JSON: quotes, and what is escaped. */
export function jsonBytes(text: string): number {
  let escaped = 2;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code > BACKSLASH) {
      if (code < 0xd800 || code > 0xdfff) continue;
      if (code < 0xdc00 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) i += 1;
      // Half a character: three bytes as UTF-8, six as an escape.
      else escaped += 3;
    } else if (code === QUOTE || code === BACKSLASH) {
      escaped += 1;
    } else if (code < 0x20) {
      escaped += code >= 0x08 && code <= 0x0d && code !== 0x0b ? 1 : 5;
    }
  }
  return Buffer.byteLength(text) + escaped;
}
