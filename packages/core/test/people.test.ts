/** Under which names people are kept: as they are, under a pseudonym, or under none. */
import { createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { alert, channel, createMonitor, getContext, type MonitorOptions } from '../src/index.js';
import { peopleOf, type UserIds } from '../src/people.js';
import type { GivenFeedback } from '../src/record.js';

const KEY = 'a key of thirty-two characters!!';
const OTHER_KEY = randomBytes(32);
const MODEL = 'claude-sonnet-5';
const CALL = { model: MODEL, usage: { input_tokens: 1_000 } };
const ADA = `u_${createHmac('sha256', KEY).update('ada').digest('base64url').slice(0, 24)}`;

const start = (options: MonitorOptions = {}) =>
  createMonitor({ log: false, onNotice: () => {}, ...options });

describe('the name of a user', () => {
  it('is the id as a label, unless told otherwise', () => {
    for (const people of [peopleOf('test'), peopleOf('test', 'raw')]) {
      expect(['ada', 42, null, '', {}].map(people.nameOf)).toEqual(['ada', '42', null, null, null]);
    }
  });

  it('is 144 bits of HMAC-SHA-256 in base64url after `u_`, the same in every process with the key', () => {
    const [one, two] = [
      peopleOf('test', { hmac: KEY }),
      peopleOf('test', { hmac: Buffer.from(KEY) }),
    ];
    expect(one.nameOf('ada')).toBe(ADA);
    expect(two.nameOf('ada')).toBe(ADA);
    expect(one.nameOf(42)).toBe(two.nameOf('42'));
    expect([null, undefined, '', '  ', {}].map(one.nameOf)).toEqual([null, null, null, null, null]);
  });

  it('is another one under another key, and never says who it is', () => {
    const [one, two] = [peopleOf('test', { hmac: KEY }), peopleOf('test', { hmac: OTHER_KEY })];
    fc.assert(
      fc.property(fc.string({ minLength: 4, unit: 'binary' }), (id) => {
        const name = one.nameOf(id);
        if (name === null) return;
        expect(name).toMatch(/^u_[\w-]{24}$/);
        expect(name).not.toContain(id);
        expect(two.nameOf(id)).not.toBe(name);
      }),
    );
  });

  it('stays what it is where a pseudonym is given, so that a context can be handed on', () => {
    const people = peopleOf('test', { hmac: KEY });
    expect(people.nameOf(ADA)).toBe(ADA);
    expect(people.nameOf(`${ADA}x`)).not.toBe(`${ADA}x`);
  });

  it('does not change with the key that the application clears after it gave it', () => {
    const key = Buffer.from(KEY);
    const people = peopleOf('test', { hmac: key });
    key.fill(0);
    expect(people.nameOf('ada')).toBe(ADA);
  });

  it('is the same after any number of others', () => {
    const people = peopleOf('test', { hmac: KEY });
    const first = Array.from({ length: 3_000 }, (_, i) => people.nameOf(`user-${i}`));
    const again = Array.from({ length: 3_000 }, (_, i) => people.nameOf(`user-${i}`));
    expect(again).toEqual(first);
    expect(new Set(first).size).toBe(3_000);
  });
});

describe('a key', () => {
  const secret = 'correct horse battery staple';
  it.each<[string, unknown, RegExp]>([
    [
      'that is too short',
      { hmac: secret },
      /userIds\.hmac must be a secret key, got a string of 28/,
    ],
    [
      'of too few bytes',
      { hmac: Buffer.from(secret) },
      /got 28 bytes.*at least 32 characters or bytes/,
    ],
    ['that is missing', { hmac: undefined }, /got undefined/],
    ['that is a number', { hmac: 12_345 }, /a value of type number/],
    [
      'in the wrong place',
      `${secret} ${secret}`,
      /says nothing that is known here \(got a string of 57/,
    ],
    ['that is all there is', Buffer.from(`${secret} ${secret}`), /got 57 bytes/],
    [
      'of before that is too short',
      { hmac: KEY, former: [secret] },
      /userIds\.former must be an array/,
    ],
    ['beside something else', { hmac: KEY, [secret]: true }, /more in it than hmac and former/],
    ['of nothing', null, /says nothing that is known here/],
  ])('%s is told at start, in words that do not show it', (_, userIds, message) => {
    const made = () => start({ userIds: userIds as UserIds });
    expect(made).toThrow(TypeError);
    expect(made).toThrow(message);
    expect(made).toThrow(/^\[claude-metrics\] createMonitor: options\.userIds/);
    expect(made).not.toThrow(/correct|horse/);
  });
});

describe('with a key', () => {
  it('calls, budgets, feedback and the context have the pseudonym, however the id comes', async () => {
    const given: GivenFeedback[] = [];
    const monitor = start({
      userIds: { hmac: KEY },
      budgets: [{ name: 'users', usd: 1, per: 'day', of: 'user', action: 'warn' }],
      contextFrom: () => ({ userId: 'ada' }),
      sinks: [{ name: 'test', record() {}, feedback: (each) => void given.push(each) }],
    });
    const direct = monitor.record({ ...CALL, userId: 'ada', messageId: 'msg_1' });
    const fromContext = monitor.record(CALL);
    const lazily = monitor.withContext({ userId: () => 'ada' }, () => monitor.record(CALL));
    const handedOn = monitor.withContext({ userId: ADA }, () => monitor.record(CALL));
    expect([direct, fromContext, lazily, handedOn].map(({ userId }) => userId)).toEqual(
      Array(4).fill(ADA),
    );
    expect(monitor.withContext({ userId: 'ada' }, () => getContext()?.userId)).toBe(ADA);
    await monitor.feedback({ messageId: 'msg_1', action: 'accept', userId: 'bob' });
    expect(given.map(({ userId }) => userId)).toEqual([monitor.userKey('bob')]);
    await monitor.adjust({ budget: 'users', scope: 'bob', usd: 0.5, reason: 'test' });
    const { budgets, byUser } = await monitor.snapshot();
    expect(byUser.map(({ key }) => key)).toEqual([ADA]);
    const scopes = budgets[0]?.scopes.map(({ scope }) => scope);
    expect(new Set(scopes)).toEqual(new Set([ADA, monitor.userKey('bob')]));
    expect((await monitor.calls({ user: monitor.userKey('ada')! })).calls).toHaveLength(4);
    await monitor.close();
  });

  it('an id that is promised is a pseudonym when it comes', async () => {
    const monitor = start({ userIds: { hmac: KEY } });
    const promised = { userId: () => Promise.resolve('ada') };
    const context = monitor.withContext(promised, () => getContext());
    expect(context?.userId).toBeNull();
    await new Promise((resolve) => setImmediate(resolve));
    expect(context?.userId).toBe(ADA);
    await monitor.close();
  });
});

describe('dropped ids', () => {
  it('are asked of nobody, and count as unattributed', async () => {
    const asked = jest.fn(() => 'ada');
    const monitor = start({ userIds: 'drop' });
    const record = () => monitor.record(CALL);
    expect(monitor.withContext({ userId: asked, feature: 'f' }, record)).toMatchObject({
      ...{ userId: null, feature: 'f' },
    });
    expect(monitor.record({ ...CALL, userId: 'ada' }).userId).toBeNull();
    expect(asked).not.toHaveBeenCalled();
    expect(monitor.userKey('ada')).toBeNull();
    expect((await monitor.snapshot()).coverage.unattributedUser).toBe(2);
    await monitor.close();
  });

  it.each<[string, MonitorOptions, RegExp]>([
    [
      'a budget of users',
      { budgets: [{ name: 'mine', usd: 1, per: 'day', of: 'user' }] },
      /the budget "mine" looks at users, and options\.userIds is 'drop'/,
    ],
    [
      'an alert by user',
      { alerts: [alert.spendAbove(1, { by: 'user', name: 'dear' })] },
      /the alert "dear" looks at users/,
    ],
    [
      'an alert about unattributed users',
      { alerts: [alert.unattributedAbove(0.1, { of: 'user', name: 'who' })] },
      /the alert "who" looks at users/,
    ],
  ])('are told at start to %s', (_, options, message) => {
    expect(() => start({ ...options, userIds: 'drop', channels: [channel.log()] })).toThrow(
      message,
    );
  });

  it('do not disturb budgets and alerts about anything else', async () => {
    const monitor = start({
      userIds: 'drop',
      budgets: [{ usd: 1, per: 'day', of: 'feature' }],
      alerts: [alert.spendAbove(1, { by: 'feature' })],
      channels: [],
    });
    monitor.record({ ...CALL, userId: 'ada', feature: 'f' });
    expect((await monitor.snapshot()).budgets[0]?.scopes).toMatchObject([{ scope: 'f' }]);
    await monitor.close();
  });
});
