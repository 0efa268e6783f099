import assert from 'node:assert/strict';
import { answers } from '../answers.js';
import { createQueue } from './queue.js';
import { finds, visit } from './scene.js';
import { assertCalls, turn, type Cases, type Stage } from './stage.js';
import type { ContractResponse, ContractRoute } from './subject.js';

/** Answers and errors go where they would go without us. */

export const errorCases: Cases = {
  async 'an answer that is streamed arrives whole, and its calls are recorded'(stage) {
    const watched = stage.createMonitor();
    const { origin } = await stage.start({
      adapters: [{ monitor: watched.monitor }],
      authenticate: finds({ id: 'ada' }),
      routes: [
        {
          method: 'GET',
          path: '/story/:chapter',
          async handle({ stream }) {
            const lines = createQueue();
            const told = stage
              .stream('call', ({ type }) => lines.add(`${type}\n`))
              .finally(() => lines.end());
            await Promise.all([told, stream(lines.read())]);
          },
        },
      ],
    });
    const response = await fetch(`${origin}/story/1`);
    const text = await response.text();
    const lines = text.trim().split('\n');
    assert.deepEqual(
      [response.status, lines[0], lines.at(-1)],
      [200, 'message_start', 'message_stop'],
    );
    assert.ok(lines.includes('content_block_delta'), text);
    await assertCalls(stage, [watched, ['call: ada | GET /story/:chapter']]);
  },

  async 'what a handler throws is answered as without us; its calls are recorded'(stage) {
    const watched = stage.createMonitor();
    const routes: ContractRoute[] = [
      {
        method: 'GET',
        path: '/breaks/:when',
        async handle({ params }) {
          if (params['when'] === 'later') await turn();
          if (params['when'] === 'after') await stage.ask('call');
          throw new Error('mine');
        },
      },
      { method: 'GET', path: '/works', handle: async () => ({ works: true }) },
    ];
    const measured = await stage.start({ adapters: [{ monitor: watched.monitor }], routes });
    const seen: unknown[] = [];
    for (const when of ['at-once', 'later', 'after']) {
      const answer = await measured.agent.get(`/breaks/${when}`);
      assert.equal(answer.status, 500);
      seen.push(answerOf(answer));
    }
    const { body } = await measured.agent.get('/works');
    assert.deepEqual(body, { works: true });
    await assertCalls(stage, [watched, ['call: null | GET /breaks/:when']]);

    const bare = await stage.start({ routes });
    for (const when of ['at-once', 'later', 'after']) {
      assert.deepEqual(seen.shift(), answerOf(await bare.agent.get(`/breaks/${when}`)));
    }
  },

  'an overloaded API is the SDK’s own error in the handler, recorded once': (stage) =>
    failsWith(stage, 529),
  'a refused request is the SDK’s own error in the handler, recorded once': (stage) =>
    failsWith(stage, 400),

  async 'an error of Claude that a handler passes on is its own, and the next request works'(
    stage,
  ) {
    const watched = stage.createMonitor();
    const { agent } = await stage.start({
      adapters: [{ monitor: watched.monitor }],
      routes: [
        {
          method: 'GET',
          path: '/ask',
          async handle() {
            try {
              await stage.ask('call');
            } catch (cause) {
              // The SDK's own error has a `status` and `headers`, which frameworks take for theirs.
              throw new Error('no answer today', { cause });
            }
            return { asked: true };
          },
        },
      ],
    });
    stage.simulator.enqueue(answers.overloaded());
    const { status } = await agent.get('/ask');
    assert.equal(status, 500);
    const { body } = await agent.get('/ask');
    assert.deepEqual(body, { asked: true });
    await stage.finish(2);
    assert.deepEqual(
      watched.calls.map(({ outcome, feature }) => [outcome, feature]),
      [
        ['error', 'GET /ask'],
        ['ok', 'GET /ask'],
      ],
    );
  },

  async 'a stream that breaks off reaches the handler as an error, and is recorded once'(stage) {
    stage.simulator.enqueue(answers.streamError());
    let caught: unknown;
    const { watched } = await visit(stage, {
      handle: () => stage.stream('call').catch((error: unknown) => (caught = error)),
    });
    assert.match(String(caught), /overloaded/i);
    await stage.finish(1);
    assert.deepEqual(
      watched.calls.map(({ outcome, feature }) => [outcome, feature]),
      [['error', 'POST /chat/:room']],
    );
  },
};

/** The handler sees what it would see from a client that nobody observes. */
async function failsWith(stage: Stage, status: 400 | 529): Promise<void> {
  const answer = status === 529 ? answers.overloaded() : answers.badRequest('no such thing');
  const question = { model: 'm', max_tokens: 1, messages: [{ role: 'user', content: 'Hello' }] };
  stage.simulator.enqueue(answer, answer);
  const usual = await errorOf(stage.bareClient().messages.create(question as never));
  let seen: unknown;
  const { watched } = await visit(stage, {
    authenticate: finds({ id: 'ada' }),
    async handle() {
      seen = await errorOf(stage.ask('call'));
    },
  });
  assert.deepEqual(lookAt(seen), lookAt(usual));
  assert.equal((seen as { status: number }).status, status);
  await stage.finish(1);
  assert.deepEqual(
    watched.calls.map((call) => [call.userId, call.feature, call.outcome, call.status]),
    [['ada', 'POST /chat/:room', 'error', status]],
  );
}

export async function errorOf(promise: PromiseLike<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
}

/** An error of the SDK, without what differs from request to request. */
function lookAt(error: unknown): unknown[] {
  const { constructor, message, status, type } = error as Error & Record<string, unknown>;
  const strip = (text: string) => text.replace(/req_\w+/g, 'req');
  return [constructor, strip(message), status, type];
}

/** An answer, without what differs from one run to the next: request ids, and frames of a stack. */
function answerOf({ status, type, text }: ContractResponse): unknown[] {
  const lines = text.split(/\n|<br>/).filter((line) => !/^(?:\s|&nbsp;)*at /.test(line));
  return [status, type, lines.join('\n').replace(/req_\w+/g, 'req')];
}
