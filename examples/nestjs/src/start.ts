import 'reflect-metadata';
import type Anthropic from '@anthropic-ai/sdk';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';

export async function start({ client, port }: { client: Anthropic; port: number }) {
  const options = {
    logger: ['error', 'warn'] as ('error' | 'warn')[],
    forceCloseConnections: true,
  };
  const app = await NestFactory.create<NestExpressApplication>(AppModule.with(client), options);
  app.useBodyParser('json', { limit: '1mb' });
  await app.listen(port, '127.0.0.1');
  return { url: await app.getUrl(), close: () => app.close() };
}
