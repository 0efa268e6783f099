/**
 * A strict parser of what Prometheus scrapes: the text format 0.0.4, and OpenMetrics 1.0 with its
 * exemplars. It throws for everything that a server would refuse, or would read as something else.
 */
export interface Series {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly exemplar: Exemplar | null;
}

export interface Exemplar {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
  readonly timestamp: number;
}

export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly series: readonly Series[];
}

export type Families = ReadonlyMap<string, MetricFamily>;

const NAME = /[a-zA-Z_:][a-zA-Z0-9_:]*/y;
const LABEL = /[a-zA-Z_][a-zA-Z0-9_]*/y;
// As Go reads it: prom-client writes `Nan`.
const NUMBER = /[+-]?(?:Inf|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|[Nn]a[Nn]/y;
const TYPES = ['counter', 'gauge', 'histogram', 'summary', 'untyped', 'unknown'];

/** Reads one line from left to right. */
function cursorOf(line: string) {
  let at = 0;
  const fail = (why: string): never => {
    throw new SyntaxError(`${why} at ${at} of ${JSON.stringify(line)}`);
  };
  function take(pattern: RegExp, what: string): string {
    pattern.lastIndex = at;
    const [found] = pattern.exec(line) ?? [];
    if (found === undefined) return fail(`no ${what}`);
    at += found.length;
    return found;
  }
  function skip(text: string): void {
    if (!line.startsWith(text, at)) fail(`no ${JSON.stringify(text)}`);
    at += text.length;
  }
  function escaped(end: string | null, escapes: Readonly<Record<string, string>>): string {
    let text = '';
    for (; at < line.length && line[at] !== end; at += 1) {
      const char = line[at] as string;
      if (char !== '\\') text += char;
      else text += escapes[(line[(at += 1)] as string) ?? ''] ?? fail('no such escape');
    }
    return text;
  }
  function labels(): Record<string, string> {
    const found = Object.create(null) as Record<string, string>;
    skip('{');
    while (line[at] !== '}') {
      if (Object.keys(found).length > 0) skip(',');
      const name = take(LABEL, 'label name');
      skip('="');
      if (name in found) fail(`label ${name} twice`);
      found[name] = escaped('"', { '\\': '\\', '"': '"', n: '\n' });
      skip('"');
    }
    skip('}');
    return found;
  }
  return {
    ...{ fail, take, skip, escaped, labels },
    number: () => Number(take(NUMBER, 'number').replace(/Inf$/, 'Infinity')),
    peek: (text: string) => line.startsWith(text, at),
    end: () => at === line.length || fail('more than expected'),
  };
}

export function parseText(text: string): Families {
  return parse(text, false);
}

export function parseOpenMetrics(text: string): Families {
  if (!text.endsWith('\n# EOF\n') && text !== '# EOF\n') throw new SyntaxError('no # EOF');
  return parse(text.slice(0, -'# EOF\n'.length), true);
}

function parse(text: string, open: boolean): Families {
  if (text !== '' && !text.endsWith('\n')) throw new SyntaxError('the last line does not end');
  if (/\p{Surrogate}/u.test(text)) throw new SyntaxError('lone surrogates');
  const families = new Map<
    string,
    { name: string; type: string; help: string; series: Series[] }
  >();
  const seen = new Set<string>();
  let current: string | null = null;
  for (const line of text.split('\n').slice(0, -1)) {
    const cursor = cursorOf(line);
    if (line === '') {
      if (open) cursor.fail('an empty line');
      continue;
    }
    if (line.startsWith('#')) {
      cursor.skip('# ');
      const isHelp = cursor.peek('HELP ');
      cursor.skip(isHelp ? 'HELP ' : 'TYPE ');
      const name = cursor.take(NAME, 'metric name');
      cursor.skip(' ');
      const rest = cursor.escaped(null, { '\\': '\\', n: '\n', ...(open && { '"': '"' }) });
      cursor.end();
      const family = families.get(name) ?? { name, type: '', help: '', series: [] };
      if (current !== name && families.has(name)) cursor.fail(`${name} in two places`);
      if (family.series.length > 0) cursor.fail('metadata after series');
      if (isHelp ? family.help : family.type) cursor.fail('metadata twice');
      if (!isHelp && !TYPES.includes(rest)) cursor.fail('no such type');
      families.set(name, { ...family, ...(isHelp ? { help: rest } : { type: rest }) });
      current = name;
      continue;
    }
    const name = cursor.take(NAME, 'metric name');
    const labels = cursor.peek('{') ? cursor.labels() : {};
    cursor.skip(' ');
    const value = cursor.number();
    const family = families.get(current ?? '');
    if (!family || !namesOf(family, open).includes(name)) return cursor.fail(`of another family`);
    let exemplar: Exemplar | null = null;
    if (open && cursor.peek(' # ')) {
      cursor.skip(' # ');
      const of = cursor.labels();
      cursor.skip(' ');
      const measured = cursor.number();
      cursor.skip(' ');
      exemplar = { labels: of, value: measured, timestamp: cursor.number() };
      const runes = Object.entries(of).reduce(
        (sum, parts) => sum + Array.from(parts.join('')).length,
        0,
      );
      if (runes > 128) cursor.fail('an exemplar of more than 128 characters');
      if (!/_(bucket|total)$/.test(name)) cursor.fail('an exemplar where none may be');
    }
    cursor.end();
    const key = JSON.stringify([name, keyOf(labels)]);
    if (seen.has(key)) cursor.fail('the same series twice');
    seen.add(key);
    family.series.push({ name, labels, value, exemplar });
  }
  for (const family of families.values()) check(family);
  return families;
}

function keyOf(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).map((pair) => JSON.stringify(pair));
  return parts.sort().join();
}

function namesOf({ name, type }: MetricFamily, open: boolean): readonly string[] {
  if (type === 'histogram') return [`${name}_bucket`, `${name}_sum`, `${name}_count`];
  if (type === 'summary') return [name, `${name}_sum`, `${name}_count`];
  return type === 'counter' && open ? [`${name}_total`] : [name];
}

function check(family: MetricFamily): void {
  const fail = (why: string): never => {
    throw new SyntaxError(`${family.name}: ${why}`);
  };
  if (family.type === '' || family.help === '') fail('no type or no help');
  if (family.type === 'counter' && family.series.some(({ value }) => !(value >= 0))) {
    fail('a counter below 0');
  }
  if (family.type !== 'histogram') return;
  const groups = new Map<string, Series[]>();
  for (const series of family.series) {
    const { le: _, ...labels } = series.labels;
    const key = keyOf(labels);
    groups.set(key, [...(groups.get(key) ?? []), series]);
  }
  for (const series of groups.values()) {
    const buckets = series.filter(({ name }) => name.endsWith('_bucket'));
    const count = series.find(({ name }) => name.endsWith('_count'));
    if (!series.some(({ name }) => name.endsWith('_sum'))) fail('no sum');
    let below = { bound: -Infinity, value: 0 };
    for (const { labels, value, exemplar } of buckets) {
      const bound = labels['le'] === '+Inf' ? Infinity : Number(labels['le']);
      if (!(bound > below.bound)) fail('bounds out of order');
      if (value < below.value) fail('buckets that shrink');
      if (exemplar && !(exemplar.value > below.bound && exemplar.value <= bound)) {
        fail('an exemplar of another bucket');
      }
      below = { bound, value };
    }
    if (below.bound !== Infinity || below.value !== count?.value) fail('no whole last bucket');
  }
}

/** The values of a family whose labels include these, added up exactly in units of `1 / scale`. */
export function sumOf(
  families: Families,
  name: string,
  labels: Readonly<Record<string, string>> = {},
  scale = 1,
): bigint {
  let sum = 0n;
  for (const series of [...families.values()].flatMap((family) => family.series)) {
    const isWanted = Object.entries(labels).every(([key, value]) => series.labels[key] === value);
    if (isWanted && series.name === name) sum += BigInt(Math.round(series.value * scale));
  }
  return sum;
}
