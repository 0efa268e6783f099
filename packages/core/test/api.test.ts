/**
 * docs/api.md and the code name the same things.
 *
 * Format of docs/api.md: below a heading `## @claude-metrics/core` (or another package), up to
 * the next heading of that size, every table whose first column is headed `Name` lists exports. Its
 * rows start with the name in code format, with or without a signature:
 *
 *     | Name                      | What it does                  |
 *     | ------------------------- | ----------------------------- |
 *     | `createMonitor(options?)` | Makes a monitor.              |
 *     | `CallRecord`              | What is known about one call. |
 *
 * Types count like functions. Tables with another first heading (`Option`, `Field`) list no exports.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAll, repository, sourcesOf } from './sources.js';

const page = join(repository, 'docs', 'api.md');

describe.each(['core', 'express', 'koa', 'nestjs', 'testing'])('@claude-metrics/%s', (name) => {
  const documented = existsSync(page)
    ? documentedNames(readFileSync(page, 'utf8'), `@claude-metrics/${name}`)
    : [];
  const exported = sourcesOf(name).get('index')?.exports ?? [];

  it('exports names, each by itself', () => {
    expect(exported).not.toEqual([]);
    expect(exported).not.toContain('*');
  });

  it('is documented once a name, and nothing else is', () => {
    expect([...documented].sort()).toEqual([...exported].sort());
  });
});

describe('the comparison', () => {
  it('reads exports of every form', () => {
    const { exports } = parseAll({
      index: `
        export { a, b as c } from './a.js';
        export type { D, E as F } from './d.js';
        export { type G } from './g.js';
        export * as H from './h.js';
        export * from './i.js';
        export const j = 1, k = 2;
        export function l() {}
        export interface M {}
        export type N = string;
        export class O {}
        const hidden = 3;`,
    }).get('index') ?? { exports: [] };
    expect(exports).toEqual(['a', 'c', 'D', 'F', 'G', 'H', '*', 'j', 'k', 'l', 'M', 'N', 'O']);
  });

  it('reads names from tables of names below the heading of the package', () => {
    const text = [
      '## `@claude-metrics/core`',
      '### Measuring',
      '| Name | What |',
      '| --- | :-- |',
      '| `createMonitor(options?)`   | makes a `Monitor` |',
      '| `observe` | … |',
      '',
      '| Option | What |',
      '| --- | --- |',
      '| `log` | … |',
      '',
      '| name |',
      '| ---- |',
      '| `Sink<T>` |',
      '## @claude-metrics/express',
      '| Name | What |',
      '| --- | --- |',
      '| `claudeMonitor` | … |',
    ].join('\n');
    const names = documentedNames(text, '@claude-metrics/core');
    expect(names).toEqual(['createMonitor', 'observe', 'Sink']);
  });
});

function documentedNames(text: string, packageName: string): string[] {
  const names: string[] = [];
  let inPackage = false;
  let table: 'none' | 'names' | 'other' = 'none';
  for (const line of text.split('\n')) {
    const heading = /^## (.*)$/.exec(line)?.[1];
    if (heading !== undefined) inPackage = heading.replaceAll('`', '').trim() === packageName;
    const cell = /^\|\s*([^|]*?)\s*\|/.exec(line)?.[1];
    if (cell === undefined) table = 'none';
    else if (table === 'none') table = /^name$/i.test(cell) ? 'names' : 'other';
    else if (inPackage && table === 'names' && !/^:?-+:?$/.test(cell)) {
      names.push(/^`([\w$]+)[^`]*`$/.exec(cell)?.[1] ?? `(not a name) ${cell}`);
    }
  }
  return names;
}
