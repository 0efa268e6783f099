import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { until } from './fixture.js';
import { hang, startReceiver, status } from './receiver.js';

/** Real processes with real timers: an alert under way never keeps one alive for longer than a try. */

const root = join(__dirname, '../../../..');
const folder = mkdtempSync(join(tmpdir(), 'claude-metrics-notify-'));

beforeAll(() => {
  const sources = join(root, 'packages/core/src');
  const entry = join(folder, 'entry.ts');
  const from = (module: string) => JSON.stringify(join(sources, module));
  writeFileSync(
    entry,
    `export { createHealth } from ${from('health.ts')};
     export { createDelivery } from ${from('notify/delivery.ts')};
     export { channel } from ${from('notify/channels.ts')};`,
  );
  const common = ['--bundle', '--platform=node', '--target=node20', '--format=cjs'];
  const out = `--outfile=${join(folder, 'notify.cjs')}`;
  execFileSync(join(root, 'node_modules/.bin/esbuild'), [
    entry,
    out,
    ...common,
    '--log-level=error',
  ]);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs the source to its natural end; gives what it printed. */
async function run(source: string): Promise<unknown> {
  const file = join(folder, 'main.cjs');
  const { id, alert, text } = { id: 'msg_1', alert: { id: 'a', severity: 'info' }, text: 'x' };
  const sent = { id, type: 'firing', at: '2026-11-01T10:00:00Z', text, link: null };
  const full = { ...alert, title: 'x', rule: 'x', group: null, since: sent.at };
  writeFileSync(
    file,
    `const { createDelivery, createHealth, channel } = require('./notify.cjs');
     const message = ${JSON.stringify({ ...sent, alert: full })};
     const secret = 'whsec_' + Buffer.alloc(32).toString('base64');
     const health = createHealth();
     ${source}
     process.on('exit', () => console.log(JSON.stringify(delivery.reports()[0])));`,
  );
  const { stdout } = await promisify(execFile)(process.execPath, [file]);
  return JSON.parse(stdout);
}

describe('a process', () => {
  it('ends although a webhook hangs, with the try that was under way', async () => {
    const receiver = await startReceiver();
    receiver.answers(hang);
    const ended = run(
      `const channels = [channel.webhook({ url: '${receiver.url}', secret })];
       const delivery = createDelivery({ channels, health, timeoutMs: 1_000 });
       for (let i = 0; i < 50; i += 1) delivery.push({ ...message, id: 'msg_' + i });`,
    );
    await until(() => receiver.received.length === 1);
    expect(await ended).toMatchObject({
      sent: 0,
      queued: 50,
      lastError: 'no answer within 1000 ms',
    });
    expect(receiver.received).toHaveLength(1);
    await receiver.close();
  });

  it('ends although a channel of its own never settles', async () => {
    const ended = run(
      `const channels = [{ name: 'own', send: () => new Promise(() => undefined) }];
       const delivery = createDelivery({ channels, health });
       delivery.push(message);`,
    );
    expect(await ended).toMatchObject({ sent: 0, queued: 1 });
  });

  it('that closes in front of a webhook that hangs ends when its time is up', async () => {
    const receiver = await startReceiver();
    receiver.answers(status(200), hang);
    const ended = run(
      `const channels = [channel.webhook({ url: '${receiver.url}', secret })];
       const delivery = createDelivery({ channels, health, timeoutMs: 600_000 });
       for (const id of ['msg_1', 'msg_2', 'msg_3']) delivery.push({ ...message, id });
       const waiting = setInterval(() => {
         if (delivery.reports()[0].sent === 0) return;
         clearInterval(waiting);
         void delivery.close(50);
       }, 5);`,
    );
    expect(await ended).toMatchObject({ sent: 1, failed: 1, dropped: 1, queued: 0 });
    await receiver.close();
  });

  it('that closes is kept alive until closing has ended', async () => {
    const ended = run(
      `const channels = [{ name: 'own', send: () => new Promise(() => undefined) }];
       const delivery = createDelivery({ channels, health });
       delivery.push(message);
       void delivery.close(50);`,
    );
    expect(await ended).toMatchObject({ failed: 1, lastError: 'closed before it was sent' });
  });
});
