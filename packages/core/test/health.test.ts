import { createHealth } from '../src/health.js';

describe('guard', () => {
  it('passes a result through and turns a throw into a count', () => {
    const health = createHealth();
    expect(health.guard('step', () => 7)).toBe(7);
    const boom = () => {
      throw new TypeError('broken');
    };
    expect(health.guard('step', boom)).toBeUndefined();
    health.guard('step', boom);
    expect(health.report()).toEqual({
      ok: false,
      faults: { step: { count: 2, lastMessage: 'TypeError: broken' } },
      dropped: {},
      notices: [],
    });
  });

  it('reports the first fault of each step, and survives a reporter that throws', () => {
    const reported: string[] = [];
    const health = createHealth({
      onError(_, step) {
        reported.push(step);
        throw new Error('the reporter is broken, too');
      },
    });
    for (const step of ['a', 'a', 'b']) health.fault(step, 'no error at all');
    expect(reported).toEqual(['a', 'b']);
  });

  it('survives what cannot be printed, and bounds names and messages', () => {
    const health = createHealth();
    health.fault('odd', {
      toString() {
        throw new Error('no');
      },
    });
    health.fault('long', new Error('x'.repeat(10_000)));
    for (let i = 0; i < 500; i += 1) health.fault(`step ${i}`, i);
    const { faults } = health.report();
    expect(faults['odd']?.lastMessage).toBe('an error that cannot be printed');
    expect(faults['long']?.lastMessage.length).toBeLessThanOrEqual(200);
    expect(Object.keys(faults)).toHaveLength(100);
  });
});

describe('drop and notice', () => {
  it('count, and say once', () => {
    const said: string[] = [];
    const health = createHealth({ onNotice: (text) => said.push(text) });
    health.drop('series');
    health.drop('series', 4);
    health.notice('sdk', 'one');
    health.notice('sdk', 'two');
    expect(said).toEqual(['one']);
    expect(health.report()).toMatchObject({ dropped: { series: 5 }, notices: ['one'], ok: true });
  });
});
