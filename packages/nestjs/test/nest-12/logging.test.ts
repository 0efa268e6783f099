import { ConsoleLogger } from '@nestjs/common';
import { run } from '../logged.js';

describe('the logger of Nest 12', () => {
  it('writes a call as one line of JSON, with its fields as they are', async () => {
    const text = await run(new ConsoleLogger({ json: true, flattenParams: true }));
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines.map(({ level }) => level)).toEqual(['log', 'warn', 'error']);
    expect(lines[0]).toMatchObject({
      context: 'Claude',
      message: expect.stringContaining('Claude call ok') as string,
      claude: { event: 'claude.call', feature: 'chat', costUsd: 0.003 },
    });
  });

  it('writes it on one line for people, too', async () => {
    const text = await run(new ConsoleLogger({ colors: false }));
    expect(text.trimEnd().split('\n')).toHaveLength(3);
  });
});
