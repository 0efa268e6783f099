import fc from 'fast-check';
import { apiFactsOf, factsOfText, get, MAX_TEXT, namesOf } from '../src/error-facts.js';
import { describeError, describeEvent, describeResponse } from '../src/errors.js';
import { ERROR_KINDS } from '../src/record.js';

/** Reading what anybody may have thrown or answered: nothing throws, and little is looked at. */

const NOTHING = { status: null, type: null, code: null, text: null };
const MEGABYTE = 1_000_000;

describe('the facts of an error', () => {
  const inner = { type: 'rate_limit_error', message: 'Slow down', details: { error_code: 'ramp' } };
  const facts = { status: 429, type: 'rate_limit_error', code: 'ramp', text: 'Slow down' };

  it('are read off its body, whole or its inner part', () => {
    const whole = { status: 429, message: 'mine', error: { type: 'error', error: inner } };
    expect(apiFactsOf(whole)).toEqual(facts);
    expect(apiFactsOf({ status: 429, error: inner })).toEqual(facts);
  });

  it('are its own where it has some', () => {
    const error = { type: 'api_error', errorCode: 'own', message: 'mine', error: { error: inner } };
    expect(apiFactsOf(error)).toEqual({ ...facts, status: null, type: 'api_error', code: 'own' });
    expect(apiFactsOf({ message: 'mine' })).toEqual({ ...NOTHING, text: 'mine' });
  });

  it.each([
    [399, null],
    [400, 400],
    [529.9, 529],
    [600, null],
    [Number.NaN, null],
    ['429', null],
  ])('a status of %p is %p', (status, expected) => {
    expect(apiFactsOf({ status }).status).toBe(expected);
  });

  it.each([['Rate Limit'], ['RATE'], [''], ['x'.repeat(65)], ['_x'], [7], [null], ['<script>']])(
    'take no %j for a type or a code',
    (value) => {
      expect(apiFactsOf({ type: value, errorCode: value })).toEqual(NOTHING);
    },
  );
});

it('the text of an error is looked at in its beginning only', () => {
  expect(apiFactsOf({ message: 'x'.repeat(MEGABYTE) }).text).toHaveLength(MAX_TEXT);
});

describe('the facts of a body', () => {
  it.each([
    [null],
    [''],
    ['null'],
    ['7'],
    ['[]'],
    ['"overloaded_error"'],
    ['{"error":"x"}'],
    ['<p>'],
  ])('of %j are none', (body) => {
    expect(factsOfText(body)).toEqual(NOTHING);
  });

  it.each([
    ['behind white space', '{ "type" : "error", "error" : { "type" : "api_error", "message" : "No'],
    ['with escapes', '{"type":"error","error":{"type":"api_error","message":"No \\"x\\" here'],
  ])('that was cut off are found %s', (_, body) => {
    expect(factsOfText(body)).toMatchObject({
      type: 'api_error',
      text: /message"\s?:\s?"(.*)/.exec(body)?.[1],
    });
  });

  it('of a megabyte are looked for in its beginning only, and it is not parsed', () => {
    const parse = jest.spyOn(JSON, 'parse');
    const start = '{"error":{"type":"api_error","message":"No';
    expect(factsOfText(start.padEnd(MEGABYTE, 'x'))).toMatchObject({ type: 'api_error' });
    expect(factsOfText(`{"filler":"${'x'.repeat(MEGABYTE)}",${start.slice(1)}"}}`)).toEqual(
      NOTHING,
    );
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
  });
});

describe('the names of an error', () => {
  it('are its own, its class and what that extends, nearest first', () => {
    class Slow extends TypeError {}
    const error = Object.assign(new Slow(), { name: 'Renamed' });
    expect(namesOf(error)).toEqual(['Renamed', 'Slow', 'TypeError', 'Error', 'Object']);
  });

  it('leave out what is no identifier', () => {
    expect(namesOf(Object.assign(new Error(), { name: 'my secret' }))).toEqual(['Error', 'Object']);
    expect(namesOf(Object.assign(new Error(), { name: 'x'.repeat(65) }))).toHaveLength(2);
  });

  it('end, though prototypes go on', () => {
    const endless: object = new Proxy({}, { getPrototypeOf: () => endless });
    expect(namesOf(endless).length).toBeLessThan(10);
  });
});

describe('whatever is thrown', () => {
  const trap = (): never => {
    throw new Error('a trap');
  };
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const fields = ['name', 'message', 'status', 'type', 'code', 'error', 'errorCode', 'cause'];
  const getters = Object.defineProperties(
    {},
    Object.fromEntries(fields.map((field) => [field, { get: trap }])),
  );

  it.each([
    ['null', null, 'null'],
    ['undefined', undefined, 'undefined'],
    ['a text', 'Zanzibar', 'string'],
    ['a number', 4111, 'number'],
    ['a symbol', Symbol('Zanzibar'), 'symbol'],
    ['an object without a prototype', Object.create(null), 'object'],
    [
      'a proxy that throws',
      new Proxy({}, { get: trap, has: trap, getPrototypeOf: trap }),
      'object',
    ],
    ['a revoked proxy', revoked.proxy, 'object'],
    ['an object whose getters throw', getters, 'Object'],
    ['an error without a message', new Error(''), 'Error'],
    ['an error of a class of its own', new RangeError('Zanzibar'), 'RangeError'],
  ])('%s is shown as nothing but its type', (_, thrown, type) => {
    const described = { kind: 'unknown', type, message: '(message withheld)' };
    expect(describeError(thrown)).toEqual(described);
  });

  it('is read once, though its causes run in a circle', () => {
    const circle = new Error('Overloaded');
    circle.cause = new Error('b', { cause: circle });
    const described = { kind: 'unknown', type: 'Error', message: 'Overloaded' };
    expect(describeError(circle)).toEqual(described);
  });

  it('is described in one short line', () => {
    const code = 'ECONN'.padEnd(MEGABYTE, 'A');
    const wild = fc.oneof(
      fc.anything({ withNullPrototype: true, withDate: true, withMap: true }),
      fc.record({ name: fc.string(), message: fc.string({ unit: 'binary' }), code: fc.string() }),
    );
    fc.assert(
      fc.property(fc.oneof(wild, fc.constant({ code, message: code })), (thrown) => {
        const { kind, type, message } = describeError(thrown);
        expect(ERROR_KINDS).toContain(kind);
        expect(type).toMatch(/^[\w$]{1,64}$/);
        expect(message.length).toBeLessThanOrEqual(400);
        expect(message).toMatch(/^[^\p{Cc}\u2028\u2029]+$/u);
      }),
      { seed: 7, numRuns: 1_000 },
    );
  });

  it('costs no more for a megabyte of message than for a page of it', () => {
    const page = work('Zanzibar '.repeat(1_000));
    expect(page.matches).toBeGreaterThan(0);
    expect(page.longest).toBeLessThanOrEqual(MAX_TEXT);
    for (const text of ['Zanzibar ', '"', '\\', 'prompt is too ', ' ', '{"type":']) {
      const all = work(text.repeat(MEGABYTE / text.length));
      expect(all.longest).toBeLessThanOrEqual(MAX_TEXT);
      expect(all).toEqual(work(text.repeat(100_000 / text.length)));
    }
  });
});

it('a property of anything can be asked for', () => {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const asked = [null, undefined, 7, 'text', revoked.proxy].map((value) => get(value, 'name'));
  expect(asked).toEqual([undefined, undefined, undefined, undefined, undefined]);
  expect(get(() => {}, 'length')).toBe(0);
});

/** What regular expressions are given while a message is described in all ways: how often, how long. */
function work(message: string): { matches: number; longest: number } {
  const { exec } = RegExp.prototype;
  const body = JSON.stringify({ type: 'error', error: { message } });
  const seen = { matches: 0, longest: 0 };
  RegExp.prototype.exec = function (text: string) {
    seen.matches += 1;
    seen.longest = Math.max(seen.longest, text.length);
    return exec.call(this, text);
  };
  try {
    describeError({ message, status: 400, error: { message } });
    describeResponse(400, body);
    describeEvent(body);
    describeEvent(message);
  } finally {
    RegExp.prototype.exec = exec;
  }
  return seen;
}
