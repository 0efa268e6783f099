/** What can befall a server that a fleet works over, whichever server it is. */
import type { Door } from './ledger-fleet-door.js';
import { stopTime } from './ledger-fleet-plan.js';
import type { Fault } from './ledger-fleet-stores.js';

export interface ServerControl {
  /** Stops it where it stands, as a machine that hangs would. */
  pause(): void;
  resume(): void;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
  start(): Promise<void>;
}

const CUTS = 12;
const ANSWERS_LOST = 16;

/** @param change What requests have in them that change something. */
export function serverFaults(server: ServerControl, door: Door, change: RegExp) {
  const counts = { stops: 0, restarts: 0 };
  const faults: readonly Fault[] = [
    {
      name: 'connections are dropped',
      async run({ brought }) {
        for (let i = 0; i < CUTS; i += 1) {
          await brought();
          door.cut();
        }
      },
    },
    {
      name: 'the server is stopped',
      async run({ failed }) {
        server.pause();
        counts.stops += 1;
        await Promise.all([stopTime(), failed()]);
        server.resume();
      },
    },
    {
      name: 'answers are lost',
      async run({ brought }) {
        door.lose(change, ANSWERS_LOST);
        await brought();
      },
    },
    {
      name: 'the server is killed and started again',
      async run({ failed }) {
        await server.kill();
        await failed();
        await server.start();
        counts.restarts += 1;
      },
    },
  ];
  return { faults, counts: () => ({ ...counts, ...door.counts }) };
}
