/** What an answer may be: each field by name, with its value and what is allowed. */
import { answers, createSimulator, type Answer, type Simulator } from '../src/index.js';
import { clientOf, QUESTION, SDKS } from './sdk.js';

let simulator: Simulator;
beforeAll(async () => (simulator = await createSimulator()));
afterAll(() => simulator.close());

const ENDINGS = 'one of complete, truncated, reset, hang, error';
const PAUSE = 'milliseconds from 0 to 3600000';
const HEADERS = 'an object of strings that HTTP can send';
const BLOCKS = 'a string, or an array of content blocks';

const WRONG: readonly [field: string, value: unknown, allowed: string, shown: string][] = [
  ['status', 199, 'an integer from 200 to 599', '199'],
  ['status', 600, 'an integer from 200 to 599', '600'],
  ['status', 200.5, 'an integer from 200 to 599', '200.5'],
  ['status', '200', 'an integer from 200 to 599', '"200"'],
  ['headers', { 'retry-after': 1 }, HEADERS, 'an object'],
  ['headers', 'retry-after: 1', HEADERS, '"retry-after: 1"'],
  ['headers', { 'bad name': 'x' }, HEADERS, 'an object'],
  ['headers', { 'x-a': 'a\nb' }, HEADERS, 'an object'],
  ['content', 7, BLOCKS, '7'],
  ['content', ['Paris'], BLOCKS, 'an object'],
  ['content', [{ text: 'Paris' }], BLOCKS, 'an object'],
  ['thinking', true, 'a string', 'true'],
  ['model', null, 'a string', 'null'],
  ['id', 7, 'a string', '7'],
  ['stopReason', null, 'a string', 'null'],
  ['stopSequence', 7, 'a string or null', '7'],
  ['usage', 7, 'an object', '7'],
  ['usage', [], 'an object', 'an object'],
  ['error', 'overloaded_error', 'an object', '"overloaded_error"'],
  ['error.type', 529, 'a string', '529'],
  ['error.message', null, 'a string', 'null'],
  ['error.code', 1, 'a string', '1'],
  ['timing', 100, 'an object', '100'],
  ['timing.headersMs', -1, PAUSE, '-1'],
  ['timing.firstEventMs', '1s', PAUSE, '"1s"'],
  ['timing.betweenMs', 3_600_001, PAUSE, '3600001'],
  ['chunkText', 0, 'an integer from 1 to 10000000', '0'],
  ['ending', 'abort', ENDINGS, '"abort"'],
  ['endAfterEvents', -1, 'an integer from 0 to 1000000', '-1'],
  ['beforeHeaders', 'yes', 'true or false', '"yes"'],
  ['beforeHeaders', true, 'given with the ending reset or hang', 'true'],
  ['body', { type: 'message' }, 'a string', 'an object'],
];

const UNKNOWN = [
  [{ text: 'Paris' }, 'answer.text', 'status, headers, content'],
  [{ timing: { headers: 1 } }, 'answer.timing.headers', 'headersMs, firstEventMs, betweenMs'],
  [{ error: { kind: 'x' } }, 'answer.error.kind', 'type, message, code'],
  [JSON.parse('{"__proto__":{}}'), 'answer.__proto__', 'status'],
] as const;

describe.each(['enqueue', 'respond'] as const)('%s()', (where) => {
  it.each(WRONG)('refuses %s: %j', (field, value, allowed, shown) => {
    const [name = '', inner] = field.split('.');
    const answer = { [name]: inner === undefined ? value : { [inner]: value } };
    const attempt = () => simulator[where](answer as Answer);
    expect(attempt).toThrow(TypeError);
    expect(attempt).toThrow(
      `[claude-metrics] ${where}: answer.${field} must be ${allowed}, got ${shown}.`,
    );
  });

  it.each(UNKNOWN)('refuses %j: there is no such field', (answer, path, fields) => {
    const attempt = () => simulator[where](answer as Answer);
    expect(attempt).toThrow(TypeError);
    expect(attempt).toThrow(
      `[claude-metrics] ${where}: there is no ${path}. Fields are: ${fields}`,
    );
  });

  it.each([[null], [[]], ['Paris'], [undefined]])('refuses %j instead of an answer', (answer) => {
    expect(() => simulator[where](answer as never)).toThrow(/answer must be an object, got/);
  });
});

it('queues nothing when one of several answers is wrong', async () => {
  expect(() => simulator.enqueue({ content: 'queued' }, { status: 7 })).toThrow(TypeError);
  for (const { Anthropic } of SDKS) {
    const { content } = await clientOf(simulator, Anthropic).messages.create(QUESTION);
    expect(content).not.toMatchObject([{ text: 'queued' }]);
  }
});

describe('ready-made answers', () => {
  it('are all accepted, and leave room for more fields', () => {
    const made: Answer[] = [
      answers.text('a', { model: 'm' }),
      answers.toolUse('t', {}, { model: 'm' }),
      answers.refusal(null, { model: 'm' }),
      answers.streamError('api_error', { model: 'm' }),
      answers.truncated({ model: 'm' }),
      answers.reset({ model: 'm' }),
      answers.hanging({ model: 'm' }),
    ];
    for (const answer of made) expect(answer.model).toBe('m');
    const others = [answers.rateLimited, answers.spendLimited, answers.usageLimited];
    const failures = [answers.overloaded, answers.serverError, answers.badRequest];
    const rest = [answers.promptTooLong, answers.unauthorized, answers.notFound];
    made.push(...[...others, ...failures, ...rest].map((make) => make()));
    expect(() => simulator.enqueue(...made)).not.toThrow();
    expect(made).toHaveLength(Object.keys(answers).length);
    simulator.reset();
  });
});
