import { decimalUsd, shownUsd } from './money.js';

/**
 * Tables as data, printed for people, as JSON or as CSV. Names come from outside: a terminal gets none
 * of their control characters, a spreadsheet none of their formulas.
 */
export interface Column {
  readonly key: string;
  readonly title: string;
  readonly kind: 'text' | 'count' | 'money' | 'percent' | 'price';
}

/** By the key of the column; `null`: nothing to say. */
export type Row = Readonly<Record<string, Value>>;
export type Value = string | number | bigint | null;

const MAX_NAME = 48;
const MAX_TEXT = 400;
/** Control characters, and marks that change the direction or the look of what is around them. */
const HOSTILE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A name as a terminal may show it: on one line, not too long. */
export function plain(text: string): string {
  const safe = text.replace(HOSTILE, (each) => {
    return `\\u${(each.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
  const letters = Array.from(safe);
  return letters.length <= MAX_NAME ? safe : `${letters.slice(0, MAX_NAME - 1).join('')}…`;
}

/** Text of others on one line: without control characters, passwords in addresses, and keys. */
export function oneLine(text: string): string {
  const safe = text
    .replace(/\/\/[^\s/@]*@/g, '//…@')
    .replace(/\bsk-[\w-]+/g, 'sk-…')
    .split(/\s+/)
    .map(plain)
    .join(' ');
  return safe.length <= MAX_TEXT ? safe : `${safe.slice(0, MAX_TEXT - 1)}…`;
}

/** Aligned, with a heading and a rule under it. Ends with a line break. */
export function tableOf(columns: readonly Column[], rows: readonly Row[]): string {
  const lines = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map((column) => shown(column, row[column.key] ?? null))),
  ];
  const widths = columns.map((_, i) => Math.max(...lines.map((line) => lengthOf(line[i] ?? ''))));
  const print = (line: readonly string[]): string =>
    columns
      .map(({ kind }, i) => {
        const text = line[i] ?? '';
        const space = ' '.repeat((widths[i] ?? 0) - lengthOf(text));
        return kind === 'text' ? text + space : space + text;
      })
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '-'.repeat(width)).join('  ');
  return `${[print(lines[0] ?? []), rule, ...lines.slice(1).map(print)].join('\n')}\n`;
}

/** RFC 4180, with a heading. Money is decimal USD, exact. */
export function csvOf(columns: readonly Column[], rows: readonly Row[]): string {
  const head = columns.map(({ key, kind }) => (kind === 'money' ? `${key}_usd` : key));
  const body = rows.map((row) =>
    columns.map(({ key, kind }) => {
      const value = row[key] ?? null;
      if (value === null) return '';
      if (kind === 'text') return quoted(withoutFormula(String(value)));
      return kind === 'money' ? decimalUsd(BigInt(value)) : String(value);
    }),
  );
  return [head, ...body].map((line) => `${line.join(',')}\r\n`).join('');
}

/** Objects by key; money as `{ usd, nanoUsd }`. */
export function objectsOf(columns: readonly Column[], rows: readonly Row[]): object[] {
  return rows.map((row) =>
    Object.fromEntries(
      columns.map(({ key, kind }) => {
        const value = row[key] ?? null;
        if (value === null) return [key, null];
        return [key, kind === 'money' ? moneyOf(BigInt(value)) : numberOf(value)];
      }),
    ),
  );
}

/** Money in JSON: a number for people, and nano-dollars, as a string where a number would round. */
export function moneyOf(nano: bigint): { usd: number; nanoUsd: number | string } {
  return { usd: Number(decimalUsd(nano)), nanoUsd: numberOf(nano) as number | string };
}

export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? numberOf(each) : each), 2)}\n`;
}

function numberOf(value: Value): Value {
  if (typeof value !== 'bigint') return value;
  return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
}

function shown({ kind }: Column, value: Value): string {
  if (value === null) return '–';
  if (kind === 'text') return plain(String(value));
  if (kind === 'money') return shownUsd(BigInt(value));
  if (kind === 'percent') return `${(Number(value) * 100).toFixed(1)} %`;
  if (kind === 'price') return String(value);
  return value.toString().replace(/\B(?=(\d{3})+$)/g, ',');
}

function lengthOf(text: string): number {
  return Array.from(text).length;
}

/** A spreadsheet runs what begins like a formula. */
function withoutFormula(text: string): string {
  return /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
