import { Anthropic } from '@anthropic-ai/sdk';
import {
  costOf,
  createMonitor,
  observe,
  withContext,
  type CallRecord,
  type Sink,
} from '@claude-metrics/core';
import { claudeMonitor, trackFeature } from '@claude-metrics/express';
import * as koa from '@claude-metrics/koa';
import { ClaudeMetricsModule, TrackFeature } from '@claude-metrics/nestjs';
import { ClaudeMetricsTestingModule } from '@claude-metrics/nestjs/testing';
import { adapterContract, createSimulator } from '@claude-metrics/testing';
import type { DynamicModule } from '@nestjs/common';
import express from 'express';

const spent: number[] = [];
const sink: Sink = {
  name: 'consumer',
  record: (call: CallRecord) => void spent.push(call.cost?.nanoUsd ?? 0),
};

export async function greet(): Promise<string> {
  const sim = await createSimulator();
  const monitor = createMonitor({ log: false });
  monitor.on(sink);
  // The observed client is of the client's own type.
  const client: Anthropic = monitor.observe(new Anthropic({ apiKey: 'sk-test', baseURL: sim.url }));
  const answer: Anthropic.Message = await withContext({ userId: 'ada' }, () =>
    observe(client).messages.create({
      model: 'claude-sonnet-4-5',
      max_tokens: 64,
      messages: [{ role: 'user', content: 'Say hello.' }],
    }),
  );
  const cost: number | undefined = costOf(answer.usage, answer.model)?.usd;
  const beta: (usage: Anthropic.Beta.BetaUsage) => unknown = (usage) => costOf(usage, 'claude');
  beta satisfies unknown;
  await monitor.close();
  await sim.close();
  return `${answer.id}: ${cost}`;
}

export const app = express();
app.use(claudeMonitor({ authorize: () => true }));
app.get('/greet', trackFeature('greet'), async (_request, response) => {
  response.send(await greet());
});

export const koaMonitor: koa.ClaudeMonitor = koa.claudeMonitor({
  userId: (ctx) => ctx.state.user?.id,
});

export const modules: DynamicModule[] = [
  ClaudeMetricsModule.forRoot({ path: '/claude' }),
  ClaudeMetricsTestingModule.forRoot(),
];
export const decorate: MethodDecorator & ClassDecorator = TrackFeature('greet');
export const contract: typeof adapterContract = adapterContract;

// @ts-expect-error: an option that does not exist is a compile error, so types are not `any`.
createMonitor({ logg: false });
