import { createRateLimit } from '../src/rate-limit.js';

let now = Date.parse('2026-11-25T12:00:15Z');
const limit = (most = 10) => createRateLimit(3, most, () => now);

describe('a rate limit', () => {
  it('lets so many through in a minute of the clock, for each by himself, and says how long to wait', () => {
    const { wait } = limit();
    expect(['ada', 'ada', 'ada', 'bob'].map(wait)).toEqual([0, 0, 0, 0]);
    expect(wait('ada')).toBe(45_000);
    now += 44_999;
    expect(wait('ada')).toBe(1);
    now += 1;
    expect(['ada', 'ada', 'ada'].map(wait)).toEqual([0, 0, 0]);
    expect(wait('ada')).toBe(60_000);
  });

  it('begins anew when the clock is set back', () => {
    const { wait } = limit();
    for (let i = 0; i < 4; i += 1) wait('ada');
    now -= 3_600_000;
    expect(wait('ada')).toBe(0);
  });

  it('remembers the last people to come, and no more', () => {
    const { wait } = limit(2);
    for (let i = 0; i < 3; i += 1) wait('ada');
    wait('bob');
    expect(wait('ada')).toBeGreaterThan(0);
    wait('cy');
    expect(wait('bob')).toBe(0);
    expect(wait('ada')).toBe(0);
  });

  it('takes any name', () => {
    const { wait } = limit();
    for (const name of ['', '__proto__', 'constructor', '\0', 'x'.repeat(10_000)]) {
      expect([wait(name), wait(name), wait(name)]).toEqual([0, 0, 0]);
      expect(wait(name)).toBeGreaterThan(0);
    }
  });
});
