/**
 * A page of the documentation as data: its tables, and its code, which can be run.
 *
 * - **span**: code within a line. **block**: code on lines of its own.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from './sources.js';

export interface Page {
  /** Rows of the first table under a heading, cell by cell. */
  tableUnder(heading: string): string[][];
  blocks(language: string): string[];
  readonly text: string;
}

export function readPage(name: string): Page {
  const text = readFileSync(join(repository, 'docs', `${name}.md`), 'utf8');
  return {
    text,
    tableUnder(heading) {
      const section = text.split(/^#+ /m).find((each) => each.startsWith(`${heading}\n`)) ?? '';
      const table = section.split('\n\n').find((part) => part.trim().startsWith('|')) ?? '';
      const lines = table.trim().split('\n').slice(2);
      return lines.map((line) => line.split('|').slice(1, -1)).map((row) => row.map(trimmed));
    },
    blocks(language) {
      const found = text.matchAll(new RegExp('^```' + language + '\\n([^]*?)^```$', 'gm'));
      return [...found].map(([, code = '']) => code);
    },
  };
}

export function spansOf(cell = ''): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
}

const AsyncFunction = (async () => {}).constructor as new (
  ...parts: string[]
) => (...values: unknown[]) => Promise<unknown>;

/** Runs code of a page; what it imports is among the names. */
export function run(code: string, names: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
  const script = code.replace(/^import .*$/gm, '');
  return new AsyncFunction(...Object.keys(names), script)(...Object.values(names));
}

/** A value as a table has it: a literal, or text. */
export async function valueOf(code: string): Promise<unknown> {
  return /^([\d[']|true$|false$)/.test(code) ? run(`return ${code}`) : code;
}

/** The options that there are, by the message about one that there is not. */
export function optionsOf(make: (wrong: object) => unknown): string[] {
  try {
    make({ nothing: 1 });
  } catch (error) {
    return /Options are: (.*)\.$/.exec(String(error))?.[1]?.split(', ').sort() ?? [];
  }
  return [];
}

function trimmed(cell: string): string {
  return cell.trim();
}
