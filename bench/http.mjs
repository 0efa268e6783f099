// CPU of one hello-world request, per variant of the server, each a process of its own. The variants take
// turns in short rounds, so that whatever the machine does meanwhile is done to all of them.
import { fork } from 'node:child_process';
import { Agent, get } from 'node:http';

const [framework, rounds] = process.argv.slice(2);
const REQUESTS = 2_000;
const CLIENTS = 16;

const variants = ['bare', 'bare (A/A)', 'header', 'claudeMonitor'];
const file = new URL('http-server.mjs', import.meta.url);
const servers = await Promise.all(
  variants.map(async (variant) => {
    const child = fork(file, [framework, variant], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    return { variant, child, port: await answer(child), micros: [] };
  }),
);
const agent = new Agent({ keepAlive: true, maxSockets: CLIENTS });

for (let round = 0; round < Number(rounds); round += 1) {
  for (const server of round % 2 === 0 ? servers : servers.toReversed()) {
    const before = await cpuOf(server.child);
    await load(server.port);
    server.micros.push(((await cpuOf(server.child)) - before) / REQUESTS);
  }
}
for (const { child } of servers) child.kill();
const medians = servers.map(({ variant, micros }) => {
  const warm = micros.slice(Math.floor(micros.length / 4)).sort((a, b) => a - b);
  return [variant, warm[warm.length >> 1]];
});
console.log(JSON.stringify(Object.fromEntries(medians)));

async function load(port) {
  let left = REQUESTS;
  await Promise.all(
    Array.from({ length: CLIENTS }, async () => {
      while ((left -= 1) >= 0) await request(port);
    }),
  );
}

function request(port) {
  return new Promise((resolve, reject) => {
    get({ port, agent, path: '/' }, (response) => response.resume().once('end', resolve)).once(
      'error',
      reject,
    );
  });
}

function cpuOf(child) {
  child.send('cpu');
  return answer(child);
}

function answer(child) {
  return new Promise((resolve) => child.once('message', resolve));
}
