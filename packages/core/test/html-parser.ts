/**
 * A strict reader of the HTML we write: anything a lenient browser would have to guess at (a bare
 * `<` or `&`, an unquoted or repeated attribute, a tag left open) is an error.
 */
export interface Tag {
  /** `/p` for an end tag. */
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

export interface Parsed {
  readonly tags: readonly Tag[];
  readonly text: string;
}

const VOID = new Set(['meta', 'input', 'br', 'rect']);
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };
const TAG = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+="[^"<>]*")*)\s*(\/?)>/y;
const ATTRIBUTE = /([a-zA-Z-]+)="([^"]*)"/g;

export function parseStrict(markup: string): Parsed {
  const tags: Tag[] = [];
  const open: string[] = [];
  let text = '';
  let at = 0;
  const doctype = /^<!doctype html>/.exec(markup);
  if (doctype) at = doctype[0].length;
  while (at < markup.length) {
    if (markup[at] !== '<') {
      const end = markup.indexOf('<', at);
      const piece = markup.slice(at, end === -1 ? undefined : end);
      text += unescape(piece);
      at += piece.length;
      continue;
    }
    TAG.lastIndex = at;
    const match = TAG.exec(markup);
    if (!match) throw new Error(`not a tag: ${markup.slice(at, at + 60)}`);
    const [whole, slash, name = '', rest = ''] = match;
    at += whole.length;
    const attributes = new Map<string, string>();
    for (const [, key = '', value = ''] of rest.matchAll(ATTRIBUTE)) {
      if (attributes.has(key)) throw new Error(`${key} twice in ${whole}`);
      attributes.set(key, unescape(value));
    }
    tags.push({ name: `${slash}${name}`, attributes });
    if (slash && open.pop() !== name) throw new Error(`${whole} closes nothing`);
    if (!slash && !VOID.has(name)) open.push(name);
    if (name === 'style' && !slash) at = markup.indexOf('</style>', at);
  }
  if (open.length > 0) throw new Error(`left open: ${open.join(' ')}`);
  return { tags, text };
}

/** What a reader sees, with single spaces. */
export function textOf(markup: string): string {
  const spaced = markup.replace(/<(?:td|th|dd|dt|div|p|li|h2|h3|summary|form)\b/g, ' $&');
  return parseStrict(spaced).text.replace(/\s+/g, ' ');
}

function unescape(piece: string): string {
  return piece.replace(/&(#?\w*;?)/g, (whole, name: string) => {
    if (/^#\d+;$/.test(name)) return String.fromCodePoint(Number(name.slice(1, -1)));
    const plain = NAMED[name.replace(/;$/, '')];
    if (plain === undefined || !name.endsWith(';')) throw new Error(`bare & in ${whole}`);
    return plain;
  });
}
