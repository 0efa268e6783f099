import { createNamespace, destroyNamespace, type Namespace } from 'cls-hooked';
import { EventEmitter } from 'node:events';
import {
  bindContext,
  createMonitor,
  getContext,
  setContext,
  withContext,
  type ContextInput,
  type Monitor,
  type MonitorOptions,
} from '../src/index.js';

const pause = () => new Promise((resolve) => setTimeout(resolve, 1));
const monitors: Monitor[] = [];

function open(options: MonitorOptions = {}): Monitor {
  const monitor = createMonitor({ log: false, onNotice: () => {}, onError: () => {}, ...options });
  monitors.push(monitor);
  return monitor;
}

/** What a call made now is recorded with. */
function names(monitor: Monitor) {
  const { userId, feature, sessionId, tags } = monitor.record({ model: 'claude-sonnet-5-5' });
  return { userId, feature, sessionId, tags: { ...tags } };
}

afterEach(async () => {
  await Promise.all(monitors.splice(0).map((each) => each.close()));
});

describe('a namespace of cls-hooked', () => {
  let namespace: Namespace;
  beforeEach(() => {
    namespace = createNamespace('app');
  });
  afterEach(() => destroyNamespace('app'));

  it('carries scopes through awaits, timers and promises, nested and in parallel', async () => {
    const monitor = open({ namespace });
    const work = (userId: string) =>
      withContext({ userId, feature: 'outer' }, async () => {
        await pause();
        const inner = await withContext({ feature: 'inner' }, async () => {
          await Promise.all([pause(), pause()]);
          return names(monitor);
        });
        return [inner, names(monitor)];
      });
    const all = await Promise.all(['ada', 'grace', 'alan'].map(work));
    expect(all.map((pair) => pair.map(({ userId, feature }) => `${userId}: ${feature}`))).toEqual(
      ['ada', 'grace', 'alan'].map((user) => [`${user}: inner`, `${user}: outer`]),
    );
    expect(getContext()).toBeUndefined();
  });

  it('is the one the application lives in: both see what is theirs', async () => {
    const monitor = open({ namespace });
    await namespace.runPromise(async () => {
      namespace.set('trace', 't-1');
      await withContext({ userId: 'ada' }, async () => {
        await pause();
        expect([namespace.get('trace'), names(monitor).userId]).toEqual(['t-1', 'ada']);
        // A context of the application inside ours inherits it.
        await namespace.runPromise(async () => {
          await pause();
          expect(names(monitor).userId).toBe('ada');
        });
      });
      expect(names(monitor).userId).toBeNull();
    });
  });

  it('binds listeners that are called from elsewhere', async () => {
    const monitor = open({ namespace });
    const bus = new EventEmitter();
    const heard: unknown[] = [];
    withContext({ userId: 'ada' }, () => {
      bus.on(
        'bound',
        bindContext(() => heard.push(names(monitor).userId)),
      );
      bus.on('loose', () => heard.push(names(monitor).userId));
    });
    await pause();
    bus.emit('bound');
    bus.emit('loose');
    expect(heard).toEqual(['ada', null]);
  });

  it('takes setContext inside a scope, and outside any lets AsyncLocalStorage have it', async () => {
    const monitor = open({ namespace });
    await withContext({ userId: 'ada' }, async () => {
      setContext({ sessionId: 's-1' });
      await pause();
      expect(names(monitor)).toMatchObject({ userId: 'ada', sessionId: 's-1' });
    });
    const job = async () => {
      await pause();
      setContext({ feature: 'nightly' });
      await pause();
      return names(monitor).feature;
    };
    expect(await job()).toBe('nightly');
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('leaves what is thrown as it was, and ends its scope', () => {
    open({ namespace });
    const error = new Error('mine');
    expect(() =>
      withContext({ userId: 'ada' }, () => {
        throw error;
      }),
    ).toThrow(error);
    expect(Reflect.ownKeys(error).map(String).sort()).toEqual(['message', 'stack']);
    expect(namespace.active).toBeNull();
  });

  it('is let go with the last monitor that asked for it', async () => {
    const [first, second] = [open({ namespace }), open({ namespace })];
    const inNamespace = () => withContext({ userId: 'ada' }, () => namespace.active !== null);
    await first.close();
    await first.close();
    expect(inNamespace()).toBe(true);
    await second.close();
    expect(inNamespace()).toBe(false);
  });

  it('is one a process: another one throws at start, and takes nothing with it', async () => {
    const monitor = open({ namespace });
    const other = createNamespace('other');
    expect(() => createMonitor({ log: false, namespace: other })).toThrow(
      /options\.namespace is another namespace than the one of an open monitor/,
    );
    expect(withContext({ userId: 'ada' }, () => names(monitor).userId)).toBe('ada');
    await monitor.close();
    expect(open({ namespace: other })).toBeDefined();
    destroyNamespace('other');
  });

  it.each([[{}], ['app'], [{ get() {}, set() {} }]])('%j is none, and told at start', (wrong) => {
    expect(() => createMonitor({ namespace: wrong as never })).toThrow(
      /options\.namespace must be an object with createContext\(\) and enter\(\)/,
    );
  });
});

describe('contextFrom', () => {
  const mine: ContextInput = {
    userId: 'mine',
    feature: () => 'my-feature',
    tags: { plan: 'pro', region: 'eu' },
  };

  it('names calls outside any scope', () => {
    const monitor = open({ contextFrom: () => mine });
    expect(names(monitor)).toEqual({
      userId: 'mine',
      feature: 'my-feature',
      sessionId: null,
      tags: { plan: 'pro', region: 'eu' },
    });
  });

  it('comes after what was said explicitly and before what an adapter knows', () => {
    const monitor = open({ contextFrom: () => mine });
    const request = { userId: () => 'request', feature: 'GET /', sessionId: 'from-request' };
    const seen = monitor.withDefaults(request, () =>
      withContext({ feature: 'explicit', tags: { plan: 'free' } }, () => names(monitor)),
    );
    expect(seen).toEqual({
      userId: 'mine',
      feature: 'explicit',
      sessionId: 'from-request',
      tags: { plan: 'free', region: 'eu' },
    });
  });

  it('comes after what setContext() adds to an adapter’s scope', () => {
    const monitor = open({ contextFrom: () => mine });
    const seen = monitor.withDefaults({ userId: 'request', sessionId: 'request' }, () => {
      setContext({ userId: 'said' });
      setContext({ tags: { plan: 'free' } });
      return names(monitor);
    });
    expect(seen).toEqual({
      userId: 'said',
      feature: 'my-feature',
      sessionId: 'request',
      tags: { plan: 'free', region: 'eu' },
    });
  });

  it('is asked at each call, once, and may know nothing', () => {
    const answers = [{ userId: 'first' }, undefined, { userId: null }];
    let asked = 0;
    const monitor = open({ contextFrom: () => answers[(asked += 1) - 1] });
    const users = answers.map(() =>
      monitor.withDefaults({ userId: 'request' }, () => names(monitor).userId),
    );
    expect([users, asked]).toEqual([['first', 'request', 'request'], 3]);
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no container');
      },
      ['contextFrom'],
    ],
    ['answers with a promise', async () => mine, []],
    ['answers with text', () => 'mine' as never, []],
  ] as [string, () => never, string[]][])('that %s costs no call', (_, contextFrom, faults) => {
    const monitor = open({ contextFrom });
    expect(monitor.withDefaults({ userId: 'request' }, () => names(monitor).userId)).toBe(
      'request',
    );
    expect(Object.keys(monitor.health().faults)).toEqual(faults);
  });

  it('belongs to its monitor, also where getContext() asks', () => {
    const [mineOnly, other] = [open({ contextFrom: () => mine }), open()];
    expect(names(other).userId).toBeNull();
    expect(mineOnly.withContext({}, getContext)?.userId).toBe('mine');
    expect(other.withContext({}, getContext)?.userId).toBeNull();
  });
});
