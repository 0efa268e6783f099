import type { SnapshotQuery } from '../snapshot.js';
import type { CallsQuery } from '../stores/store.js';
import { CALLS_PARAMETERS, SNAPSHOT_PARAMETERS, type Parameter } from './parameters.js';
import { echo, type QueryIssue } from './problem.js';

/** A query that was understood, or everything that is wrong with it. */
export type Parsed<T> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly errors: QueryIssue[] };

type Parameters = Readonly<Record<string, Parameter>>;
type Values<P extends Parameters> = {
  -readonly [K in keyof P]?: P[K] extends Parameter<infer T> ? T : never;
};

const MAX_ISSUES = 10;

/**
 * Strict: unknown, repeated and malformed parameters are errors, because a filter that is silently
 * ignored shows the wrong number.
 */
export function readParameters<P extends Parameters>(
  query: URLSearchParams,
  known: P,
): Parsed<Values<P>> {
  const values: Record<string, unknown> = {};
  const errors: QueryIssue[] = [];
  for (const name of new Set(query.keys())) {
    if (errors.length >= MAX_ISSUES) break;
    const texts = query.getAll(name);
    const [text = ''] = texts;
    const parameter = Object.hasOwn(known, name) ? known[name] : undefined;
    const issue = (allowed: string) =>
      errors.push({ parameter: echo(name), value: echo(text), allowed });
    if (!parameter) {
      issue(`is not a parameter here; there are ${Object.keys(known).join(', ') || 'none'}`);
    } else if (texts.length > 1) {
      issue('must be given once');
    } else {
      const value = parameter.parse(text);
      if (value === undefined) issue(parameter.allowed);
      else values[name] = value;
    }
  }
  return errors.length > 0 ? { ok: false, errors } : { ok: true, value: values as Values<P> };
}

export function readSnapshotQuery(query: URLSearchParams, now: number): Parsed<SnapshotQuery> {
  const read = readParameters(query, SNAPSHOT_PARAMETERS);
  if (!read.ok) return read;
  const { range, ...rest } = read.value;
  if (range !== undefined && rest.from !== undefined) {
    return wrong(
      'range',
      query.get('range'),
      'cannot be combined with `from`; give one of the two',
    );
  }
  if (rest.from !== undefined && rest.from >= (rest.to ?? now)) {
    return wrong('from', query.get('from'), 'must be before `to` (which is now, if not given)');
  }
  return { ok: true, value: range === undefined ? rest : { ...rest, rangeMs: range } };
}

export function readCallsQuery(query: URLSearchParams): Parsed<CallsQuery> {
  return readParameters(query, CALLS_PARAMETERS);
}

/** What a form sends for a field that was left empty. */
export function withoutEmpty(query: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...query].filter(([, value]) => value !== ''));
}

function wrong(parameter: string, value: string | null, allowed: string): Parsed<never> {
  return { ok: false, errors: [{ parameter, value: echo(value ?? ''), allowed }] };
}
