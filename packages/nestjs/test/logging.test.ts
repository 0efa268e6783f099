import { logTo } from '@claude-metrics/core';
import { ConsoleLogger, Logger } from '@nestjs/common';
import { asBefore, run } from './logged.js';

/** Calls in the log of a Nest application: its `Logger`, wherever the application leads it. */
const count = (text: string, part: string): number => text.split(part).length - 1;

describe('the logger of Nest', () => {
  it('gets calls under its context, at its levels', async () => {
    const text = await run(new ConsoleLogger());
    expect(text).toMatch(/ LOG .*\[Claude\].* Claude call ok: claude-sonnet-5-5, .* "chat"/);
    expect(text).toMatch(/ WARN .*\[Claude\].* Claude call aborted: /);
    expect(text).toMatch(/ ERROR .*\[Claude\].* Claude call error: /);
    expect(text).toContain('ada');
  });

  it('is asked first which levels are on', async () => {
    const text = await run(['error']);
    expect(text).toContain('Claude call error');
    expect(count(text, 'Claude call ')).toBe(1);
  });

  it('hands text and fields to a logger of the application’s', async () => {
    const calls: unknown[][] = [];
    const to =
      (level: string) =>
      (...args: unknown[]): void =>
        void calls.push([level, ...args]);
    await run({ log: to('log'), warn: to('warn'), error: to('error') });
    const ours = calls.filter((call) => call.at(-1) === 'Claude');
    expect(ours.map(([level]) => level)).toEqual(['log', 'warn', 'error']);
    expect(ours[0]).toEqual([
      'log',
      expect.stringContaining('Claude call ok'),
      { claude: expect.objectContaining({ event: 'claude.call', userId: 'ada' }) },
      'Claude',
    ]);
  });

  it('may be the class itself, and have the text alone', async () => {
    const messages: unknown[][] = [];
    const to = (...args: unknown[]): void => void messages.push(args);
    Logger.overrideLogger({ log: to, warn: to, error: to });
    const sink = logTo(Logger, { style: 'message-only' });
    sink.say('The dashboard is closed.');
    expect(messages).toEqual([['The dashboard is closed.']]);
    asBefore();
  });
});
