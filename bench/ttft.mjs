// Time to the first token over real sockets: median of one variant.
import { fork } from 'node:child_process';
import Anthropic from '@anthropic-ai/sdk';
import { createMonitor } from '@claude-metrics/core';

const [variant, calls] = process.argv.slice(2);

const server = fork(new URL('ttft-server.mjs', import.meta.url), { stdio: 'inherit' });
const baseURL = await new Promise((resolve) => server.once('message', resolve));
const client = new Anthropic({ apiKey: 'none', baseURL });
const monitor = variant === 'observed' ? createMonitor({ log: false }) : undefined;
monitor?.observe(client);

const request = {
  model: 'claude-sonnet-5-5',
  max_tokens: 1024,
  stream: true,
  messages: [{ role: 'user', content: 'Say something plain.' }],
};
const times = [];
for (let i = 0; i < Number(calls) + 50; i += 1) {
  const start = process.hrtime.bigint();
  let first;
  for await (const event of await client.messages.create(request)) {
    if (event.type === 'content_block_delta') first ??= process.hrtime.bigint();
  }
  if (i >= 50) times.push(Number(first - start) / 1_000);
}
times.sort((a, b) => a - b);
console.log(JSON.stringify({ p50Micros: times[times.length >> 1] }));
server.kill();
await monitor?.close();
