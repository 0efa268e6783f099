import { createMonitor, getContext, withContext } from '@claude-metrics/core';
import { Controller, Injectable, Module, Sse } from '@nestjs/common';
import { createNamespace, destroyNamespace } from 'cls-hooked';
import { BehaviorSubject, defer, firstValueFrom, interval, lastValueFrom, Observable } from 'rxjs';
import { map, take, toArray } from 'rxjs/operators';
import request from 'supertest';
import { ClaudeMetricsModule, TrackFeature } from '../src/index.js';
import { measure } from './measured.js';
import { listen, platforms } from './nest.js';

/** What a method with a name returns, and what that does later. */
const feature = () => getContext()?.feature ?? null;
const later = () => new Promise((resolve) => setTimeout(resolve, 1));

class OwnPromise extends Promise<unknown> {}

const namespace = createNamespace('results');
afterAll(() => destroyNamespace('results'));

describe.each([
  ['AsyncLocalStorage', undefined],
  ['cls-hooked', namespace],
])('what a method returns and does later, over %s', (_, carrier) => {
  const monitor = () => createMonitor({ log: false, namespace: carrier });
  let open: ReturnType<typeof monitor>;
  beforeAll(() => {
    open = monitor();
  });
  afterAll(() => open.close());

  const LIST = [1, 2];
  class Cursor {
    #count = 0;
    get count(): number {
      return this.#count;
    }
    async next(): Promise<IteratorResult<unknown>> {
      this.#count += 1;
      return { done: this.#count > 2, value: feature() };
    }
    rewind(): this {
      this.#count = 0;
      return this;
    }
    [Symbol.asyncIterator](): this {
      return this;
    }
  }

  @Injectable()
  class Service {
    readonly subject = new BehaviorSubject(1);

    @TrackFeature('observable')
    observable(): Observable<unknown> {
      return defer(async () => {
        await later();
        return feature();
      });
    }
    @TrackFeature('promised')
    async promised(): Promise<Observable<unknown>> {
      await later();
      return defer(async () => feature());
    }
    @TrackFeature('promised items')
    async promisedItems(): Promise<AsyncGenerator<unknown>> {
      await later();
      return (async function* items() {
        yield feature();
      })();
    }
    @TrackFeature('own promise')
    ownPromise(own: OwnPromise): OwnPromise {
      return own;
    }
    @TrackFeature('user')
    user(): Observable<unknown> {
      return defer(async () => getContext()?.userId);
    }
    @TrackFeature('ticks')
    ticks(): Observable<unknown> {
      return interval(1).pipe(take(2), map(feature));
    }
    @TrackFeature('hot')
    hot(): BehaviorSubject<number> {
      return this.subject;
    }
    @TrackFeature('teardown')
    teardown(gone: () => void): Observable<unknown> {
      return new Observable(() => gone);
    }
    @TrackFeature('generator')
    *generator(): Generator<unknown, unknown, unknown> {
      try {
        const sent = yield feature();
        yield [sent, feature()];
      } catch (error) {
        yield [error, feature()];
      } finally {
        yield ['finally', feature()];
      }
      return feature();
    }
    @TrackFeature('async generator')
    async *items(): AsyncGenerator<unknown, unknown, unknown> {
      try {
        await later();
        const sent = yield feature();
        await later();
        yield [sent, feature()];
      } catch (error) {
        yield [error, feature()];
      } finally {
        yield ['finally', feature()];
      }
      return feature();
    }
    @TrackFeature('list')
    list(): unknown[] {
      return this.subject.value === 1 ? LIST : [];
    }
    @TrackFeature('cursor')
    cursor(): Cursor {
      return new Cursor();
    }
  }
  const service = new Service();

  it('keeps the name for what a promise brings, and leaves a promise with methods of its own', async () => {
    expect(await firstValueFrom(await service.promised())).toBe('promised');
    const { value } = (await (await service.promisedItems()).next()) as { value: unknown };
    expect(value).toBe('promised items');
    const own = new OwnPromise((resolve) => resolve(1));
    expect(service.ownPromise(own)).toBe(own);
  });

  const elsewhere = <T>(work: () => T): T => withContext({ feature: 'elsewhere' }, work);

  it('an observable runs in it, for every subscriber', async () => {
    const observable = service.observable();
    const twice = await Promise.all([
      elsewhere(() => firstValueFrom(observable)),
      elsewhere(() => firstValueFrom(observable)),
    ]);
    expect(twice).toEqual(['observable', 'observable']);
    const ticks = elsewhere(() => lastValueFrom(service.ticks().pipe(toArray())));
    expect(await ticks).toEqual(['ticks', 'ticks']);
  });

  it('an observable is unsubscribed from, and a subject stays what it is', () => {
    const gone = jest.fn();
    service.teardown(gone).subscribe().unsubscribe();
    expect(gone).toHaveBeenCalledTimes(1);
    expect(service.hot()).toBe(service.subject);
  });

  it('an observable has the user of who called the method', async () => {
    const observable = withContext({ userId: 'ada' }, () => service.user());
    const value = withContext({ userId: 'grace' }, () => firstValueFrom(observable));
    expect(await value).toBe('ada');
  });

  it('a generator runs in it: next, throw and return', () => {
    const first = service.generator();
    expect(elsewhere(() => first.next())).toEqual({ done: false, value: 'generator' });
    expect(elsewhere(() => first.next('hi')).value).toEqual(['hi', 'generator']);
    expect(elsewhere(() => first.return('x')).value).toEqual(['finally', 'generator']);
    const second = service.generator();
    elsewhere(() => second.next());
    expect(elsewhere(() => second.throw('oh')).value).toEqual(['oh', 'generator']);
    expect(elsewhere(() => [...service.generator()])).toEqual([
      'generator',
      [undefined, 'generator'],
      ['finally', 'generator'],
    ]);
  });

  it('an async generator runs in it: next, throw and return', async () => {
    const all: unknown[] = [];
    await elsewhere(async () => {
      for await (const item of service.items()) all.push(item, feature());
    });
    const own = 'async generator';
    const loop = 'elsewhere';
    expect(all).toEqual([own, loop, [undefined, own], loop, ['finally', own], loop]);
    const thrown = service.items();
    await elsewhere(() => thrown.next());
    expect((await elsewhere(() => thrown.throw('oh'))).value).toEqual(['oh', own]);
    expect((await elsewhere(() => thrown.return('x'))).value).toEqual(['finally', own]);
  });

  it('an iterator of the application’s own runs in it, and works as before', async () => {
    const cursor = service.cursor();
    expect(cursor).toBeInstanceOf(Cursor);
    const all: unknown[] = [];
    await elsewhere(async () => {
      for await (const item of cursor) all.push(item);
    });
    expect([all, cursor.count]).toEqual([['cursor', 'cursor'], 3]);
    expect(cursor.rewind()).toBe(cursor);
    expect(cursor.count).toBe(0);
  });

  it('everything else is what the method gave', () => {
    expect(service.list()).toBe(LIST);
  });
});

describe('calls of a handler that streams', () => {
  it.each(platforms)('are named on $name', async (platform) => {
    const measured = await measure();
    @Controller()
    class Events {
      @Sse('events')
      @TrackFeature('events')
      events(): Observable<{ data: string }> {
        return defer(async () => {
          await measured.ask();
          return { data: 'done' };
        });
      }
    }
    @Module({
      imports: [ClaudeMetricsModule.forRoot({ monitor: measured.monitor })],
      controllers: [Events],
    })
    class AppModule {}
    const running = await listen(await platform.create(AppModule));
    const { text } = await request(running.origin).get('/events').expect(200);
    expect(text).toContain('data: done');
    expect(await measured.calls()).toEqual(['null: events']);
    await running.close();
    await measured.close();
  });
});
