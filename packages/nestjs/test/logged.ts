import 'reflect-metadata';
import type { Monitor } from '@claude-metrics/core';
import { ConsoleLogger, Logger, Module, type LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { stripVTControlCharacters } from 'node:util';
import { ClaudeMetricsModule, CLAUDE_MONITOR } from '../src/index.js';

/** An application whose module logs through the `Logger` of Nest. */
@Module({})
class AppModule {}

const imports = [
  ClaudeMetricsModule.forRoot({ log: new Logger('Claude'), path: false, instrument: false }),
];
Module({ imports })(AppModule);

/** What an application with this logger writes of three calls, without colours. */
export async function run(logger: LoggerService | ('log' | 'warn' | 'error')[]): Promise<string> {
  let text = '';
  const write = (chunk: unknown): boolean => {
    text += String(chunk);
    return true;
  };
  const spies = [process.stdout, process.stderr].map((stream) =>
    jest.spyOn(stream, 'write').mockImplementation(write),
  );
  try {
    const app = await NestFactory.createApplicationContext(AppModule, { logger });
    text = '';
    const monitor = app.get<Monitor>(CLAUDE_MONITOR);
    record(monitor);
    const written = stripVTControlCharacters(text);
    await app.close();
    expect(monitor.health().faults).toEqual({});
    return written;
  } finally {
    for (const spy of spies) spy.mockRestore();
    asBefore();
  }
}

/** The logger that Nest begins with, with all of its levels. */
export function asBefore(): void {
  Logger.overrideLogger(new ConsoleLogger());
  Logger.overrideLogger(['log', 'warn', 'error', 'debug', 'verbose']);
}

function record(monitor: Monitor): void {
  const model = 'claude-sonnet-5-5';
  const usage = { input_tokens: 1000, output_tokens: 100 };
  monitor.record({ model, usage, userId: 'ada', feature: 'chat' });
  monitor.record({ model, usage, outcome: 'aborted' });
  monitor.record({ model, outcome: 'error', status: 529, error: new Error('Overloaded') });
}
