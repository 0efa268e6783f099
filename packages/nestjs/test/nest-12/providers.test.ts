import { getContext } from '@claude-metrics/core';
import { Injectable } from '@nestjs/common';
import { EventEmitter2, EventEmitterModule, OnEvent } from '@nestjs/event-emitter';
import { Cron, ScheduleModule, SchedulerRegistry } from '@nestjs/schedule';
import { Test } from '@nestjs/testing';
import { TrackFeature } from '../../src/index.js';

/** Methods that nobody of the application calls: jobs and listeners. */
const seen: unknown[] = [];
const note = () => void seen.push(getContext()?.feature ?? null);

@Injectable()
class Above {
  @TrackFeature('cron-above')
  @Cron('0 0 1 1 *', { name: 'above' })
  job(): void {
    note();
  }
  @TrackFeature('event-above')
  @OnEvent('happened')
  listen(): void {
    note();
  }
}

@Injectable()
class Below {
  @Cron('0 0 1 1 *', { name: 'below' })
  @TrackFeature('cron-below')
  job(): void {
    note();
  }
  @OnEvent('happened')
  @TrackFeature('event-below')
  listen(): void {
    note();
  }
}

@Injectable()
@TrackFeature('class')
class Whole {
  @Cron('0 0 1 1 *', { name: 'whole' })
  job(): void {
    note();
  }
  @OnEvent('happened')
  listen(): void {
    note();
  }
}

it('@TrackFeature() names jobs and listeners, above and below @Cron() and @OnEvent()', async () => {
  const module = await Test.createTestingModule({
    imports: [ScheduleModule.forRoot(), EventEmitterModule.forRoot()],
    providers: [Above, Below, Whole],
  }).compile();
  await module.init();
  const jobs = module.get(SchedulerRegistry);
  for (const name of ['above', 'below', 'whole']) await jobs.getCronJob(name).fireOnTick();
  await module.get(EventEmitter2).emitAsync('happened');
  expect(seen).toHaveLength(6);
  expect(seen.slice(0, 3)).toEqual(['cron-above', 'cron-below', 'class']);
  expect(new Set(seen.slice(3))).toEqual(new Set(['class', 'event-above', 'event-below']));
  await module.close();
});
