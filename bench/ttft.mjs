// Time to the first token over real sockets. The variants take turns call by call in one process, so
// that whatever the machine does meanwhile is done to all of them.
import { fork } from 'node:child_process';
import Anthropic from '@anthropic-ai/sdk';
import { createMonitor } from '@claude-metrics/core';

const [calls, thinkMs] = process.argv.slice(2).map(Number);
const WARM_UP = calls / 3;

const timing = JSON.stringify({ firstEventMs: thinkMs });
const server = fork(new URL('ttft-server.mjs', import.meta.url), [timing]);
const baseURL = await new Promise((resolve) => server.once('message', resolve));
const client = () => new Anthropic({ apiKey: 'none', baseURL });
const monitor = createMonitor({ log: false });
const variants = {
  bare: client(),
  'bare (A/A)': client(),
  // What the SDK itself takes for having any middleware: no design of ours can be faster.
  'a middleware that does nothing': client().withOptions({
    middleware: [(request, next) => next(request)],
  }),
  observed: monitor.observe(client()),
};

const request = {
  model: 'claude-sonnet-5-5',
  max_tokens: 1024,
  stream: true,
  messages: [{ role: 'user', content: 'Say something plain.' }],
};
const names = Object.keys(variants);
const times = Object.fromEntries(names.map((name) => [name, []]));
for (let i = 0; i < calls + WARM_UP; i += 1) {
  for (let j = 0; j < names.length; j += 1) {
    const name = names[(i + j) % names.length];
    const start = process.hrtime.bigint();
    let first;
    for await (const event of await variants[name].messages.create(request)) {
      if (event.type === 'content_block_delta') first ??= process.hrtime.bigint();
    }
    if (i >= WARM_UP) times[name].push(Number(first - start) / 1_000);
  }
}
const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
console.log(JSON.stringify(Object.fromEntries(names.map((name) => [name, median(times[name])]))));
server.kill();
await monitor.close();
