/**
 * The way from a fleet to its server: it can be cut at any time, also after the server has done what
 * it was asked for, and before anybody hears of it.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

export interface Door {
  readonly port: number;
  /** Cuts what is open. */
  cut(): void;
  /** Of the next requests with these words in them, so many are done and their answers lost. */
  lose(words: RegExp, answers: number): void;
  readonly counts: { cuts: number; answersLost: number };
  close(): Promise<void>;
}

/** @param target A port of this machine, or the path of a socket. */
export async function openDoor(target: number | string): Promise<Door> {
  const ways = new Set<() => void>();
  const counts = { cuts: 0, answersLost: 0 };
  let lost: RegExp | null = null;
  let toLose = 0;

  const server = createServer((client) => {
    const upstream = typeof target === 'string' ? connect(target) : connect(target, '127.0.0.1');
    const shut = () => {
      ways.delete(shut);
      client.destroy();
      upstream.destroy();
    };
    ways.add(shut);
    /** An answer is on its way that nobody is going to hear. */
    let isLosing = false;
    client.on('data', (chunk: Buffer) => {
      if (toLose > 0 && !isLosing && lost?.test(chunk.toString('latin1')) === true) {
        toLose -= 1;
        isLosing = true;
      }
      pass(chunk, client, upstream);
    });
    upstream.on('data', (chunk: Buffer) => {
      if (!isLosing) return pass(chunk, upstream, client);
      counts.answersLost += 1;
      shut();
    });
    for (const socket of [client, upstream]) socket.on('error', shut).on('close', shut);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const shutAll = () => [...ways].map((shut) => shut()).length;

  return {
    port: (server.address() as AddressInfo).port,
    counts,
    cut: () => void (counts.cuts += shutAll()),
    lose(words, answers) {
      lost = words;
      toLose = answers;
    },
    async close() {
      shutAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function pass(chunk: Buffer, from: Socket, to: Socket): void {
  if (to.write(chunk)) return;
  from.pause();
  to.once('drain', () => from.resume());
}
