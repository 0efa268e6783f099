import {
  bindContext,
  getContext,
  label,
  readContext,
  setContext,
  withContext,
} from '../src/context.js';
import { createHealth } from '../src/health.js';

const LONE_SURROGATE = '\uD800';

describe('withContext', () => {
  it('is seen by what it starts, also later and in parallel', async () => {
    const seen = (userId: string) =>
      withContext({ userId }, async () => {
        await new Promise((resolve) => setTimeout(resolve, 1));
        return getContext()?.userId;
      });
    expect(await Promise.all(['ada', 'bob', 'cy'].map(seen))).toEqual(['ada', 'bob', 'cy']);
    expect(getContext()).toBeUndefined();
  });

  it('lets the nearest scope that knows an answer win', () => {
    const context = withContext(
      { userId: 'outer', feature: 'outer', tags: { a: '1', b: '1' } },
      () => withContext({ userId: () => null, feature: 'inner', tags: { b: '2' } }, getContext),
    );
    expect(context).toMatchObject({ userId: 'outer', feature: 'inner', tags: { a: '1', b: '2' } });
  });

  it('asks a function at the moment of the call, not before', () => {
    const request: { user?: { id: string } } = {};
    withContext({ userId: () => request.user?.id }, () => {
      expect(getContext()?.userId).toBeNull();
      request.user = { id: 'late' };
      expect(getContext()?.userId).toBe('late');
    });
  });

  it('takes a promised identity when it arrives', async () => {
    const { guard } = createHealth();
    const context = withContext({ userId: async () => 'promised' }, () => readContext(guard));
    expect(context.userId).toBeNull();
    await Promise.resolve();
    expect(context.userId).toBe('promised');
  });

  it('counts what an identity function throws or rejects with, and goes on', async () => {
    const health = createHealth();
    const broken = () => {
      throw new Error('no session');
    };
    const context = withContext(
      { userId: broken, feature: 'chat', sessionId: () => Promise.reject(new Error('no store')) },
      () => readContext(health.guard),
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(context).toMatchObject({ userId: null, feature: 'chat', sessionId: null });
    expect(health.report().faults).toMatchObject({
      'context.userId': { count: 1, lastMessage: 'Error: no session' },
      'context.sessionId': { count: 1, lastMessage: 'Error: no store' },
    });
  });
});

describe('setContext', () => {
  it('adds to the scope it is called in', () => {
    withContext({ userId: 'ada' }, () => {
      setContext({ feature: 'chat' });
      expect(getContext()).toMatchObject({ userId: 'ada', feature: 'chat' });
    });
    expect(getContext()).toBeUndefined();
  });
});

describe('bindContext', () => {
  it('keeps the context for a callback that is called from elsewhere', () => {
    const callback = withContext({ userId: 'ada' }, () => bindContext(() => getContext()?.userId));
    expect(callback()).toBe('ada');
  });
});

describe('label', () => {
  const hostile: [string, unknown, string | null][] = [
    ['a plain name', 'ada@example.com', 'ada@example.com'],
    ['a number', 42, '42'],
    ['nothing', null, null],
    ['an empty name', '', null],
    ['blanks', ' \t ', null],
    ['an object that is no name', {}, null],
    ['an object that is one', { toString: () => 'id-7' }, 'id-7'],
    ['a prototype name', '__proto__', '__proto__'],
    ['control characters', 'a\u0000b\nc\u001bd', 'a\uFFFDb\uFFFDc\uFFFDd'],
    ['bidi controls', 'a\u202Eb\u2066c', 'a\uFFFDb\uFFFDc'],
    ['line separators', 'a\u2028b', 'a\uFFFDb'],
    ['a lone surrogate', `a${LONE_SURROGATE}b`, 'a\uFFFDb'],
    ['other scripts', 'Åsa 山田', 'Åsa 山田'],
  ];
  it.each(hostile)('of %s', (_, value, expected) => {
    expect(label(value)).toBe(expected);
  });

  it('has at most 128 characters, and tells long names apart', () => {
    const first = label(`${'x'.repeat(1024 * 1024)}1`);
    const second = label(`${'x'.repeat(1024 * 1024)}2`);
    expect(first).toHaveLength(128);
    expect(second).toHaveLength(128);
    expect(first).not.toBe(second);
  });

  it('does not cut a character in half', () => {
    const text = label('😀'.repeat(200)) ?? '';
    expect(/\p{Surrogate}/u.test(text)).toBe(false);
    expect(text.length).toBeLessThanOrEqual(128);
  });
});

describe('tags', () => {
  it('are bounded, and cannot poison a prototype', () => {
    const tags = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`t${i}`, 'v']));
    const hostile = JSON.parse('{"__proto__":"x","ok":"y"}') as Record<string, string>;
    expect(Object.keys(withContext({ tags }, getContext)?.tags ?? {})).toHaveLength(16);
    expect(withContext({ tags: hostile }, getContext)?.tags['ok']).toBe('y');
    expect(({} as { x?: string }).x).toBeUndefined();
  });
});
