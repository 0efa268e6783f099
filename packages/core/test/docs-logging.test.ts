import { callLine } from '../src/exporters/json.js';
import { logTo, type LogToOptions } from '../src/exporters/logger.js';
import { optionsOf, readPage, spansOf } from './docs-page.js';
import { application, levelsOf, monitorOf, USAGE } from './exporters/lines.js';

/** docs/logging.md and the code say the same. */
const page = readPage('logging');
const column = (heading: string): string[] =>
  page.tableUnder(heading).flatMap(([cell]) => spansOf(cell));

describe('docs/logging.md', () => {
  it('names every field of a line, and no other', () => {
    const record = monitorOf({ log: false }).record({ model: 'claude-sonnet-5-5', usage: USAGE });
    const { event: _, ...fields } = callLine(record);
    expect(column('Logging').sort((a, b) => a.localeCompare(b))).toEqual(
      Object.keys(fields).sort((a, b) => a.localeCompare(b)),
    );
  });

  it('names every option of logTo, and every kind of line', () => {
    const { logger } = application();
    const given = optionsOf((wrong) => logTo(logger, wrong));
    expect(column('What is written, and how')).toEqual(expect.arrayContaining(given));
    let kinds = '';
    try {
      logTo(logger, { levels: { nothing: 'info' } } as LogToOptions);
    } catch (error) {
      kinds = /or false, for (.*), got/.exec(String(error))?.[1] ?? '';
    }
    expect(kinds.split(', ')).toHaveLength(13);
    const named = page.text.slice(page.text.indexOf('The kinds of `levels`')).split('\n\n')[0];
    expect(spansOf(named)).toEqual(expect.arrayContaining(kinds.split(', ')));
  });

  it.each(page.blocks('js').filter((code) => code.includes('levels:')))(
    'shows options that are: %#',
    (code) => {
      const shown = /levels: (\{[^}]*\})/.exec(code)?.[1] ?? '';
      const levels = JSON.parse(shown.replace(/(\w+):/g, '"$1":').replaceAll("'", '"')) as Levels;
      const names = Object.values(levels).filter((level) => typeof level === 'string');
      const known = Object.fromEntries(
        ['error', 'warn', 'info', ...names].map((name, i) => [name, i]),
      );
      const { logger, first } = application({ levels: known, level: names.at(-1) ?? 'info' });
      const monitor = monitorOf({ log: logTo(logger, { levels }) });
      monitor.record({ model: 'claude-sonnet-5-5', outcome: 'error' });
      expect(levelsOf(first.lines())).toEqual([levels.error]);
    },
  );
});

type Levels = NonNullable<LogToOptions['levels']>;
