import { createMonitor, type Monitor } from '@claude-metrics/core';
import { Controller, Get, Inject, Module } from '@nestjs/common';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import request from 'supertest';
import { ClaudeMetricsModule } from '../src/index.js';
import { ClaudeMetricsHealthIndicator } from '../src/terminus.js';
import { listen, platforms, type Running } from './nest.js';

/** The indicator, as an application asks it. */
@Controller('health')
class HealthController {
  constructor(
    @Inject(HealthCheckService) readonly health: HealthCheckService,
    @Inject(ClaudeMetricsHealthIndicator) readonly claude: ClaudeMetricsHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check([() => this.claude.check(), () => this.claude.check('again')]);
  }
}

describe.each(platforms)('the health indicator on $name', (platform) => {
  let monitor: Monitor;
  let running: Running;
  beforeEach(async () => {
    monitor = createMonitor({ log: false, onError: () => {} });
    @Module({
      imports: [
        ClaudeMetricsModule.forRoot({ monitor }),
        TerminusModule.forRoot({ logger: false }),
      ],
      controllers: [HealthController],
      providers: [ClaudeMetricsHealthIndicator],
    })
    class AppModule {}
    running = await listen(await platform.create(AppModule));
  });
  afterEach(async () => {
    await running.close();
    await monitor.close();
  });

  it('is up while nothing of ours has failed', async () => {
    const { status, body } = await request(running.origin).get('/health');
    const up = { status: 'up', faults: {}, dropped: {} };
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'ok', details: { claude: up, again: up }, error: {} });
  });

  it('is down after a fault, with numbers and without words', async () => {
    monitor.fault('sink:json', new Error('a prompt could be in here'));
    monitor.fault('sink:json', new Error('or here'));
    const { status, body, text } = await request(running.origin).get('/health');
    const down = { status: 'down', faults: { 'sink:json': 2 }, dropped: {} };
    expect(status).toBe(503);
    expect(body).toMatchObject({ status: 'error', error: { claude: down, again: down }, info: {} });
    expect(text).not.toMatch(/could be|or here/);
  });
});
