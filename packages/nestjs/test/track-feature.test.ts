import { createMonitor, getContext, withContext } from '@claude-metrics/core';
import { Controller, Get, Module, Param, SetMetadata, UseGuards } from '@nestjs/common';
import request from 'supertest';
import { ClaudeMetricsModule, TrackFeature } from '../src/index.js';
import { listen, platforms } from './nest.js';

/** A name for whatever a method does, now or later. */
const feature = () => getContext()?.feature ?? null;
const later = () => new Promise((resolve) => setTimeout(resolve, 1));

describe('@TrackFeature() on a method', () => {
  const key = Symbol('method');
  class Service {
    readonly prefix = 'p';
    static whoami = 'class';

    @TrackFeature('now')
    now(...args: string[]): unknown[] {
      return [feature(), this.prefix, ...args];
    }
    @TrackFeature('later')
    async later(): Promise<unknown> {
      await later();
      return feature();
    }
    @TrackFeature('fails')
    fails(): never {
      throw new RangeError(String(feature()));
    }
    @TrackFeature('rejects')
    async rejects(): Promise<never> {
      throw new RangeError(String(feature()));
    }
    @TrackFeature('static')
    static still(): unknown[] {
      return [feature(), this.whoami];
    }
    @TrackFeature('symbol')
    [key](): unknown {
      return feature();
    }
    @TrackFeature('outer')
    @TrackFeature('inner')
    twice(): unknown {
      return feature();
    }
    @TrackFeature('around')
    around(): unknown[] {
      return [feature(), this.now()[0], feature()];
    }
  }
  const service = new Service();

  it('names what the method does, and nothing after it', async () => {
    expect(service.now('a', 'b')).toEqual(['now', 'p', 'a', 'b']);
    expect(await service.later()).toBe('later');
    expect(() => service.fails()).toThrow(new RangeError('fails'));
    await expect(service.rejects()).rejects.toThrow(new RangeError('rejects'));
    expect(service[key]()).toBe('symbol');
    expect(Service.still()).toEqual(['static', 'class']);
    expect(feature()).toBeNull();
  });

  it('wins over what is further away: the nearest name counts', () => {
    expect(service.twice()).toBe('inner');
    expect(service.around()).toEqual(['around', 'now', 'around']);
    expect(withContext({ feature: 'outside', userId: 'ada' }, () => service.now()[0])).toBe('now');
  });

  it('keeps name, length and what else is on the function', () => {
    const own = Object.assign(
      function named(a: unknown, b: unknown) {
        return [a, b];
      },
      { extra: 1 },
    );
    const descriptor = { value: own, writable: true, configurable: true };
    TrackFeature('x')({}, 'named', descriptor);
    expect(descriptor.value).not.toBe(own);
    const { name, length, extra } = descriptor.value;
    expect([name, length, extra]).toEqual(['named', 2, 1]);
    expect([Service.prototype.now.name, Service.prototype.twice.name]).toEqual(['now', 'twice']);
  });

  it('gives the promise that the method gave', () => {
    class Custom extends Promise<unknown> {}
    const promise = Custom.resolve(1);
    class Asking {
      @TrackFeature('x')
      ask() {
        return promise;
      }
    }
    expect(new Asking().ask()).toBe(promise);
  });

  it.each([
    ['', 'the name must be a string that is not empty, got ""'],
    ['  ', 'the name must be a string that is not empty'],
    [undefined, 'got undefined'],
    [7, 'got 7'],
  ])('refuses the name %j', (name, message) => {
    expect(() => TrackFeature(name as string)).toThrow(TypeError);
    expect(() => TrackFeature(name as string)).toThrow('[claude-metrics] @TrackFeature: ');
    expect(() => TrackFeature(name as string)).toThrow(message);
  });

  it('refuses what is neither a class nor a method', () => {
    const decorate = TrackFeature('x') as (...args: unknown[]) => void;
    const accessor = { get: () => 1, configurable: true };
    expect(() => decorate({}, 'field')).toThrow('a class or a method, got "field"');
    expect(() => decorate({}, 'accessor', accessor)).toThrow('a class or a method');
    expect(() => decorate(class {}, undefined, 0)).toThrow('got a parameter');
    expect(() => decorate({}, 'method', 0)).toThrow('a class or a method, got "method"');
  });
});

describe('@TrackFeature() on a class', () => {
  const read = jest.fn(() => 'accessor');
  class Parent {
    inherited(): unknown {
      return feature();
    }
  }
  @TrackFeature('class')
  class Service extends Parent {
    static still(): unknown {
      return feature();
    }
    readonly arrow = (): unknown => feature();
    get accessor(): string {
      return read();
    }
    plain(): unknown {
      return feature();
    }
    @TrackFeature('own')
    named(): unknown {
      return feature();
    }
  }

  it('names its own methods, but for those that have a name', () => {
    const service = new Service();
    expect(read).not.toHaveBeenCalled();
    expect(service.plain()).toBe('class');
    expect(service.named()).toBe('own');
    expect(service.accessor).toBe('accessor');
  });

  it('leaves alone what is no method of its own', () => {
    const service = new Service();
    expect([service.inherited(), service.arrow(), Service.still()]).toEqual([null, null, null]);
    expect(new Parent().inherited()).toBeNull();
    expect(service.constructor).toBe(Service);
    expect(Object.getOwnPropertyDescriptor(Service.prototype, 'plain')).toMatchObject({
      enumerable: false,
      configurable: true,
      writable: true,
    });
  });

  it('also in a prototype with a field that is not a method', () => {
    class Odd {}
    Object.assign(Odd.prototype, { count: 1, run: feature });
    TrackFeature('odd')(Odd);
    expect(new Odd()).toMatchObject({ count: 1 });
    expect((new Odd() as { run(): unknown }).run()).toBe('odd');
  });
});

describe('@TrackFeature() among other decorators', () => {
  const seen: unknown[] = [];
  class Guard {
    canActivate(): boolean {
      seen.push('guarded');
      return true;
    }
  }
  @Controller('below')
  class Below {
    @TrackFeature('below')
    @Get(':id')
    @UseGuards(Guard)
    @SetMetadata('key', 'value')
    get(@Param('id') id: string): object {
      return { id, feature: feature() };
    }
  }
  @Controller('above')
  class Above {
    @SetMetadata('key', 'value')
    @UseGuards(Guard)
    @Get(':id')
    @TrackFeature('above')
    get(@Param('id') id: string): object {
      return { id, feature: feature() };
    }
  }
  @TrackFeature('outermost')
  @Controller('outermost')
  class Outermost {
    @UseGuards(Guard)
    @SetMetadata('key', 'value')
    @Get(':id')
    get(@Param('id') id: string): object {
      return { id, feature: feature() };
    }
  }
  @Controller('innermost')
  @TrackFeature('innermost')
  class Innermost {
    @Get(':id')
    @UseGuards(Guard)
    @SetMetadata('key', 'value')
    get(@Param('id') id: string): object {
      return { id, feature: feature() };
    }
  }
  const controllers = [Below, Above, Outermost, Innermost];

  it.each(controllers)('keeps what they say: %p', (controller) => {
    const { get } = controller.prototype;
    expect(Reflect.getMetadata('key', get)).toBe('value');
    expect(Reflect.getMetadata('path', get)).toBe(':id');
    expect(Reflect.getMetadata('__guards__', get)).toEqual([Guard]);
  });

  it.each(platforms)('works in any order on $name', async (platform) => {
    const monitor = createMonitor({ log: false });
    @Module({ imports: [ClaudeMetricsModule.forRoot({ monitor })], controllers })
    class AppModule {}
    const running = await listen(await platform.create(AppModule));
    seen.length = 0;
    for (const path of ['below', 'above', 'outermost', 'innermost']) {
      const { body } = await request(running.origin).get(`/${path}/7`).expect(200);
      expect(body).toEqual({ id: '7', feature: path });
    }
    expect(seen).toEqual(Array.from({ length: 4 }, () => 'guarded'));
    await running.close();
    await monitor.close();
  });
});
