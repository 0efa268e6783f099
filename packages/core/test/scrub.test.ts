import fc from 'fast-check';
import { describeError, describeEvent, describeResponse } from '../src/errors.js';
import { scrub } from '../src/scrub.js';

/** What of a message may be logged: the API's own words, and nothing that it quotes. */

describe('a message of the API', () => {
  // Sources: the API's documentation, and errors as they are reported in public issues.
  it.each([
    ['prompt is too long: 210000 tokens > 200000 maximum'],
    [
      'max_tokens: 100000 > 64000, which is the maximum allowed number of output tokens for claude-haiku-4-5-20251001',
    ],
    [
      'You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.',
    ],
    ['messages.0.content.0.text: cache_control cannot be set for empty text blocks'],
    ["messages.0.role: Input should be 'user' or 'assistant'"],
    ['max_tokens: Field required'],
    ['invalid x-api-key'],
    ['Your API key does not have permission to use the specified resource.'],
    ['model: claude-opus-9'],
    ['Request exceeds the maximum allowed number of bytes.'],
    ['Request timed out.'],
    ['Internal server error'],
    ['Overloaded'],
    ['Compaction is temporarily unavailable.'],
  ])('that quotes nothing is kept whole: %s', (message) => {
    expect(scrub(message)).toBe(message);
  });

  it.each([
    [
      "This request would exceed your organization's rate limit of 40,000 input tokens per minute. For details, refer to: https://docs.claude.com/en/api/rate-limits.",
      "This request would exceed your organization's rate limit of 40,000 input tokens per minute. For details, refer to: …",
    ],
    [
      'Number of request tokens has exceeded your per-minute rate limit (https://docs.anthropic.com/en/api/rate-limits)',
      'Number of request tokens has exceeded your per-minute rate limit …',
    ],
    [
      'messages.0.content: Input should be a valid string, found "dear diary"',
      'messages.0.content: Input should be a valid string, found …',
    ],
    ['messages.3.content: my card is 4111 1111 1111 1111', 'messages.3.content: …'],
    ['The key sk-ant-api03-AbC_dEf-0123 is invalid', 'The key …'],
    ['connect ECONNREFUSED 10.1.2.3:443', 'connect ECONNREFUSED …'],
    ['model: claude-haiku-4-5-of-ada', 'model: …'],
    ['Zanzibar is not allowed here', '…'],
    ['input 4111 1111', 'input 4111 …'],
    ['', ''],
    [' \n ', ''],
    ['too\n\tlong', 'too long'],
  ])('is cut at the first word that is none of ours: %s', (message, expected) => {
    expect(scrub(message)).toBe(expected);
  });
});

describe('what comes out', () => {
  const words = 'prompt is too long tokens > 200000 maximum messages.0.content: input `max_tokens`';
  const known = fc.constantFrom(...words.split(' '));
  const separator = fc.constantFrom(' ', '\n', '\t', '\u2028', '\u00a0', '  ', ': ', '"', '\0');
  const anything = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ unit: 'grapheme', maxLength: 60 }),
    fc.lorem(),
    fc.stringMatching(/^sk-ant-(api|admin)\d\d-[\w-]{20,90}$/),
    fc.emailAddress(),
    fc.webUrl({ withQueryParameters: true }),
    fc.base64String({ minLength: 8, maxLength: 200 }),
    fc.uuid(),
    fc.ipV4(),
    fc.ipV6(),
    fc.stringMatching(/^\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{4}$/),
    fc.stringMatching(/^\+\d{1,2} \d{3} \d{4,7}$/),
    fc.json(),
  );
  const messages = fc
    .array(fc.tuple(fc.oneof({ weight: 3, arbitrary: known }, anything), separator), {
      maxLength: 80,
    })
    .map((parts) => parts.flat().join(''));
  const check = (property: (message: string, shown: string) => void) =>
    fc.assert(
      fc.property(messages, (message) => property(message, scrub(message))),
      { seed: 20_261_124, numRuns: 5_000 },
    );

  it('is the beginning of the message, with a mark where it was cut', () => {
    check((message, shown) => {
      const whole = message.split(/\s+/).filter(Boolean).join(' ');
      if (shown === whole) return;
      expect(shown).toMatch(/(^| )…$/);
      const kept = shown.slice(0, -1).trimEnd();
      expect(kept === '' || whole === kept || whole.startsWith(`${kept} `)).toBe(true);
    });
  });

  it('is one line of at most 300 characters', () => {
    check((_, shown) => {
      expect(shown.length).toBeLessThanOrEqual(300);
      expect(shown).toMatch(/^[^\p{Cc}\u2028\u2029]*$/u);
    });
    for (let length = 280; length <= 2_010; length += 1) {
      expect(scrub('too '.repeat(length).slice(0, length)).length).toBeLessThanOrEqual(300);
      expect(scrub(' '.repeat(length))).toMatch(/^…?$/);
    }
    expect(scrub(`${' '.repeat(2_000)}Overloaded`)).toBe('…');
  });

  it('has no word of four letters that would not come out alone, and no long number', () => {
    check((_, shown) => {
      for (const [word] of shown.matchAll(/\p{L}{4,}/gu)) expect(scrub(word)).toBe(word);
      expect(shown).not.toMatch(/\d{11}|\d{9}(?!\d*[-_.])|[@+\\{}]\w|:\/\/|\d[ -]\d{4}[ -]\d/);
    });
  });

  // What people put into prompts, and what must not be said about them.
  it.each([
    ...['Ada', 'Lovelace', 'Zanzibar', 'london', 'diabetes', 'pregnant', 'salary', 'divorce'],
    ...[
      'hunter2',
      'letmein',
      'qwerty',
      'Passw0rd!',
      'correct-horse',
      'ada@example.com',
      'sk-ant-x',
    ],
    ...['AKIAIOSFODNN7EXAMPLE', 'ghp_16C7e42F292c6912E7', 'Bearer', 'eyJhbGciOiJIUzI1NiJ9.e30.x'],
    ...[
      'https://internal.example/?q=1',
      '10.0.0.1',
      '::1',
      '/home/ada/notes.txt',
      'C:\\ada',
      'DE89370400440532013000',
    ],
    ...[
      '123-45-6789',
      '4111111111111111',
      '+442071838750',
      'данные',
      '秘密',
      '🔑',
      'sécret',
      'ſecret',
      'user\u200bname',
    ],
    ...[
      'кey',
      'tokens\u202e',
      'a'.repeat(200),
      'prompt,Ada',
      'user:ada',
      'key=hunter2',
      'max_tokens_ada',
    ],
    ...['user_41555512345', 'max_tokens.'.repeat(9) + 'max'],
  ])('is nothing of %s, wherever it stands', (canary) => {
    expect(scrub(canary)).toBe('…');
    expect(scrub(`(${canary})`)).toBe('…');
    expect(scrub(`invalid value: "${canary}" is too long`)).toBe('invalid value: …');
    expect(scrub(`prompt is too long ${canary}`)).toBe('prompt is too long …');
  });
});

it('a described error holds no canary, whatever field it was put in', () => {
  const canaries = fc.oneof(
    fc.stringMatching(/^sk-ant-api03-[A-Za-z0-9_-]{20,60}$/),
    fc.emailAddress(),
    fc.stringMatching(/^zq[a-z]{6,12} zq[a-z]{6,12}$/),
  );
  fc.assert(
    fc.property(canaries, (canary) => {
      const inner = {
        type: canary,
        message: `messages.0.content: ${canary}`,
        details: { error_code: canary, canary },
        param: canary,
      };
      const body = { type: 'error', error: inner, request_id: canary };
      const text = JSON.stringify(body);
      const headers = new Headers({ 'retry-after': canary });
      const cause = Object.assign(new Error(canary), { code: canary, name: canary, errno: canary });
      const described = [
        describeResponse(400, text, headers),
        describeResponse(400, text.slice(0, -2), headers),
        describeResponse(400, canary, headers),
        describeEvent(text),
        describeEvent(`${text}${' '.repeat(40_000)}`),
        describeError(Object.assign(new Error(`400 ${text}`), { status: 400, error: body })),
        describeError(new Error(canary, { cause })),
        describeError(cause),
        describeError(canary),
        describeError({
          ...inner,
          code: canary,
          name: canary,
          stack: canary,
          toString: () => canary,
        }),
        describeError(parseError(`{"text": "${canary}`)),
      ];
      const shown = JSON.stringify(described);
      for (const part of canary.match(/[A-Za-z0-9]{8,}/g) ?? [canary])
        expect(shown).not.toContain(part);
    }),
    { seed: 20_261_124, numRuns: 500 },
  );
});

function parseError(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return error;
  }
}
