/**
 * HTML that escapes by default: `markup` is the only way to build it, and a value becomes markup only
 * if `markup` made it.
 */

const MARKUP: unique symbol = Symbol('markup');

/** Markup that is safe to send as it is. */
export interface Html {
  readonly [MARKUP]: string;
}

type Value = Html | string | number | null | undefined | false | readonly Value[];

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

// Controls, bidi and other format characters, lone surrogates: nothing a name needs to be read.
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/** Text for element content and for quoted attribute values. */
export function escapeHtml(text: string): string {
  return text.replace(INVISIBLE, '\uFFFD').replace(/[&<>"'`]/g, (char) => ESCAPES[char] ?? '');
}

/**
 * Every interpolated value is escaped, arrays are joined, `null`, `undefined` and `false` vanish.
 * Attribute values must be quoted.
 *
 * @example
 * markup`<td title="${name}">${name}</td>`;
 */
export function markup(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  let out = strings[0] ?? '';
  for (let i = 0; i < values.length; i += 1) out += render(values[i]) + (strings[i + 1] ?? '');
  return { [MARKUP]: out };
}

/** The text of finished markup. */
export function toText(built: Html): string {
  return built[MARKUP];
}

/** Marks text of our own (a style sheet) as markup. Never for anything that came from outside. */
export function trusted(ownText: string): Html {
  return { [MARKUP]: ownText };
}

function render(value: Value): string {
  if (value === null || value === undefined || value === false) return '';
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return String(value);
  if (isList(value)) return value.map(render).join('');
  return value[MARKUP];
}

function isList(value: Html | readonly Value[]): value is readonly Value[] {
  return Array.isArray(value);
}
