/** What is shown of what others threw: the words of engines and drivers, and nothing that they quote. */
import fc from 'fast-check';
import { reasonOf } from '../src/alerts/wording.js';
import { faultText, ownWords } from '../src/fault-text.js';
import { createHealth } from '../src/health.js';
import { voiceOf } from '../src/log-sinks.js';

const chars = Array.from('abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789');
/** No word of any vocabulary: nobody's prompt, name or key in particular. */
const secrets = fc
  .array(fc.constantFrom(...chars), { minLength: 12, maxLength: 60 })
  .map((all) => `q${all.join('')}`);
const keys = secrets.map((secret) => `sk-ant-api03-${secret}`);
const around = fc.constantFrom(
  ...['no such user', 'Unexpected token in JSON at position 3:', 'connect ECONNREFUSED', ''],
  ...[
    'Cannot read properties of undefined (reading',
    'the request failed with',
    'database is locked by',
  ],
);
const quotes = fc.constantFrom("'", '"', '`', '', '(', ': ', 'https://ada:', '=');

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}

/** Everything that shows a fault of others. */
function shown(error: unknown): string {
  const health = createHealth();
  health.fault('step', error);
  return [JSON.stringify(health.report()), reasonOf(error), faultText(error)].join('\n');
}

describe('a fault of others', () => {
  it('never shows a key or what it quotes, wherever that stands', () => {
    fc.assert(
      fc.property(fc.oneof(secrets, keys), around, quotes, around, (secret, a, quote, b) => {
        for (const text of [`${a} ${quote}${secret}${quote} ${b}`, `${secret} ${a}`, secret]) {
          for (const error of [
            new Error(text),
            new TypeError(text),
            text,
            { toString: () => text },
          ]) {
            expect(shown(error)).not.toContain(secret);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  it('never shows what JSON.parse() quotes', () => {
    fc.assert(
      fc.property(secrets, (secret) => {
        expect(shown(thrownBy(() => JSON.parse(secret)))).not.toContain(secret.slice(0, 8));
      }),
    );
  });

  it.each([
    [new Error('disk full'), 'Error: disk full'],
    [
      new TypeError("Cannot read properties of undefined (reading 'ada')"),
      'TypeError: Cannot read properties of undefined (reading …',
    ],
    [new Error('connect ECONNREFUSED 10.1.2.3:6379'), 'Error: connect ECONNREFUSED …'],
    [
      new Error('password authentication failed for user "ada"'),
      'Error: password authentication failed for user …',
    ],
    [
      new SyntaxError('Unexpected token h in JSON at position 1'),
      'SyntaxError: Unexpected token h in JSON at position 1',
    ],
    ['no error at all', 'no error at all'],
    [undefined, 'undefined'],
  ])('keeps what says what to do: %s', (error, told) => {
    expect(faultText(error)).toBe(told);
  });

  it('is one line of at most 200 characters, whatever was thrown', () => {
    fc.assert(
      fc.property(fc.anything(), (thrown) => {
        const line = faultText(thrown);
        expect(line.length).toBeLessThanOrEqual(200);
        expect(line).not.toContain('\n');
      }),
    );
  });
});

describe('a fault of ours', () => {
  it('is shown as it is, but for keys', () => {
    expect(faultText(new Error('[claude-metrics] store: "zanzibar" is no store.'))).toBe(
      'Error: [claude-metrics] store: "zanzibar" is no store.',
    );
    expect(faultText(ownWords(new Error('the note zanzibar is no state')))).toBe(
      'Error: the note zanzibar is no state',
    );
    expect(faultText(new Error('[claude-metrics] got sk-ant-api03-abcdef'))).toBe(
      'Error: [claude-metrics] got sk-…',
    );
  });
});

describe('the first fault of a step', () => {
  it('is one safe line on stderr, and the whole error for onError', () => {
    const lines: string[] = [];
    const warn = jest
      .spyOn(console, 'warn')
      .mockImplementation((line: string) => void lines.push(line));
    const error = new Error('no such user: zanzibar');
    voiceOf({}).report(error, 'context.userId');
    warn.mockRestore();
    expect(lines.join()).toContain('context.userId failed');
    expect(lines.join()).not.toContain('zanzibar');
    const heard: unknown[] = [];
    voiceOf({ onError: (each) => void heard.push(each) }).report(error, 'context.userId');
    expect(heard).toEqual([error]);
  });
});
