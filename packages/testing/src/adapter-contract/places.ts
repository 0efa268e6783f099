import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { createQueue } from './queue.js';
import { assertCalls, createGate, turn, type Cases, type Running, type Stage } from './stage.js';
import type { ContractHeaders, ContractRequest } from './subject.js';

/**
 * Calls belong to the request they are made for, wherever in its asynchronous work that is.
 *
 * - **place**: where in a handler calls are made.
 */
interface Place {
  readonly name: string;
  /** Calls that one request makes. */
  readonly calls: number;
  work(work: Work): Promise<unknown>;
}

/** One request, to a place. */
interface Work {
  readonly stage: Stage;
  readonly request: ContractRequest;
  /** The next label of this request. */
  label(): string;
  /** Everyone has their answer. */
  readonly answered: Promise<void>;
}

const USERS = ['ada', 'grace', 'alan'];

const PLACES: readonly Place[] = [
  { name: 'directly', calls: 1, work: ({ stage, label }) => stage.ask(label()) },
  {
    name: 'after await',
    calls: 2,
    async work({ stage, label }) {
      await Promise.resolve();
      await stage.ask(label());
      await turn();
      await stage.ask(label());
    },
  },
  {
    name: 'in timers',
    calls: 3,
    work({ stage, label }) {
      const later = (schedule: (run: () => void) => void) =>
        new Promise((resolve) => schedule(() => resolve(stage.ask(label()))));
      return Promise.all([
        later((run) => setTimeout(run, 1)),
        later((run) => setImmediate(run)),
        later((run) => process.nextTick(run)),
      ]);
    },
  },
  {
    name: 'in Promise.all',
    calls: 3,
    work: ({ stage, label }) =>
      Promise.all([
        stage.ask(label()),
        stage.stream(label()),
        turn().then(() => stage.ask(label())),
      ]),
  },
  {
    name: 'while a stream is read',
    calls: 3,
    work: ({ stage, label }) =>
      stage.stream(label(), ({ type }) =>
        type === 'message_start' || type === 'message_stop' ? stage.ask(label()) : undefined,
      ),
  },
  {
    name: 'while an answer is streamed',
    calls: 3,
    async work({ stage, request, label }) {
      // The calls are the handler's own: an iterator would have the context of its consumer.
      const lines = createQueue();
      const made = (async () => {
        await stage.stream(label(), ({ type }) => lines.add(`${type}\n`));
        await stage.ask(label());
        lines.add('more\n');
        await stage.ask(label());
        lines.end();
      })();
      await Promise.all([made, request.stream(lines.read())]);
    },
  },
  {
    name: 'in an event of the SDK’s helper',
    calls: 2,
    work: ({ stage, label }) => stage.streamHelper(label(), () => stage.ask(label())),
  },
  {
    name: 'in an event that the handler emits later',
    calls: 1,
    async work({ stage, label }) {
      const emitter = new EventEmitter();
      const heard = new Promise((resolve) => emitter.once('go', () => resolve(stage.ask(label()))));
      setImmediate(() => emitter.emit('go'));
      await heard;
    },
  },
  {
    name: 'that nobody waits for, after the answer was sent',
    calls: 2,
    async work({ stage, label, answered }) {
      // A call that fails is missing among the records; it must not end the process of the tests.
      answered.then(() => stage.ask(label())).catch(() => {});
      (async () => {
        await answered;
        await turn();
        await stage.stream(label());
      })().catch(() => {});
    },
  },
];

const who = async (header: ContractHeaders) => {
  await turn();
  return { id: header('x-user') };
};

/** Every user posts `{ user }` to `/work/<user>-room` at the same time. */
function visitAll({ agent }: Running) {
  return Promise.all(
    USERS.map((user) =>
      agent.post(`/work/${user}-room?secret=${user}`).set({ 'x-user': user }).send({ user }),
    ),
  );
}

export const placeCases: Cases = Object.fromEntries(
  PLACES.map((place) => [
    `a call made ${place.name} belongs to its request`,
    (stage) => playPlace(stage, place),
  ]),
);

async function playPlace(stage: Stage, { calls, work }: Place): Promise<void> {
  const watched = stage.createMonitor();
  const { opened: answered, open } = createGate();
  const running = await stage.start({
    adapters: [{ monitor: watched.monitor }],
    authenticate: who,
    routes: [
      {
        method: 'POST',
        path: '/work/:room',
        async handle(request) {
          const { user } = request.body as { user: string };
          assert.equal(request.params['room'], `${user}-room`);
          let made = 0;
          const label = () => `${user}-${(made += 1)}`;
          await work({ stage, request, label, answered });
          return {};
        },
      },
    ],
  });
  const answers = await visitAll(running);
  assert.deepEqual(
    answers.map(({ status }) => Math.floor(status / 100)),
    USERS.map(() => 2),
  );
  open();
  await assertCalls(stage, [
    watched,
    USERS.flatMap((user) =>
      Array.from({ length: calls }, (_, i) => `${user}-${i + 1}: ${user} | POST /work/:room`),
    ),
  ]);
}
