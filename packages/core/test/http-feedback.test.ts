/** POST /feedback: open to those whom the application names, and to nobody else. */
import { createHttp, type Http } from '../src/http.js';
import { ask, snapshotOf } from './http-fixture.js';

const given: unknown[] = [];
let user: unknown = 'ada';
let now = Date.parse('2026-11-25T12:00:00Z');

const readings = {
  snapshot: () => Promise.resolve(snapshotOf()),
  calls: () => Promise.resolve({ calls: [], next: null, kept: 0, capacity: 0, dropped: 0 }),
  feedback: (event: { messageId?: string | undefined }) => {
    given.push(event);
    return Promise.resolve(event.messageId !== 'unknown');
  },
};
const open = (feedback?: () => unknown) =>
  createHttp(readings, { authorize: () => true, now: () => now, ...(feedback && { feedback }) });

let http: Http;
beforeEach(() => {
  given.length = 0;
  user = 'ada';
  now += 3_600_000;
  http = open(() => user);
});

const post = (body: unknown, headers: Record<string, string> = {}) =>
  ask(http, '/feedback', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

it('takes what a user says, under the name that the application gives', async () => {
  expect((await post({ messageId: 'msg_1', action: 'accept', score: 0.5 })).status).toBe(202);
  expect(given).toEqual([{ messageId: 'msg_1', action: 'accept', score: 0.5, userId: 'ada' }]);
});

it('takes a form, and lets the browser stay where it is', async () => {
  const type = 'application/x-www-form-urlencoded';
  const headers = { 'content-type': type, 'sec-fetch-site': 'same-origin' };
  expect((await post('messageId=msg_1&action=reject&comment=', headers)).status).toBe(204);
  expect(given).toEqual([{ messageId: 'msg_1', action: 'reject', userId: 'ada' }]);
});

it.each([null, undefined, false, '', {}, true])(
  'is closed to %p, whoever may see the page',
  async (who) => {
    user = who;
    expect((await post({ messageId: 'msg_1', action: 'accept' })).status).toBe(403);
    expect(given).toEqual([]);
  },
);

it('is not there unless the application opens it', async () => {
  http = open();
  expect((await post({ messageId: 'msg_1', action: 'accept' })).status).not.toBe(202);
  expect(given).toEqual([]);
});

it.each([
  [{ action: 'accept' }, 'messageId'],
  [{ messageId: 'm', action: 'like' }, 'action'],
  [{ messageId: 'm', action: 'accept', userId: 'bob' }, 'userId'],
  [{ messageId: 'm', action: 'accept', comment: 'x'.repeat(2_001) }, 'comment'],
  [{ messageId: 'm', action: 'accept', score: 'much' }, 'score'],
])('says what is wrong with %j', async (body, field) => {
  const answer = await post(body);
  expect(answer.status).toBe(400);
  expect(answer.body).toContain(field);
  expect(given).toEqual([]);
});

it('says that an answer is not known', async () => {
  expect((await post({ messageId: 'unknown', action: 'accept' })).status).toBe(404);
});

it('refuses another site', async () => {
  const headers = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' };
  expect((await post({ messageId: 'm', action: 'accept' }, headers)).status).toBe(403);
  expect(given).toEqual([]);
});

it('takes 60 a minute of a user, and says when there is room again', async () => {
  const statuses: number[] = [];
  for (let i = 0; i < 61; i += 1) {
    statuses.push((await post({ messageId: `m${i}`, action: 'accept' })).status);
  }
  expect(statuses.filter((status) => status === 202)).toHaveLength(60);
  const refused = await post({ messageId: 'm', action: 'accept' });
  expect(refused.status).toBe(429);
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  user = 'bob';
  expect((await post({ messageId: 'm', action: 'accept' })).status).toBe(202);
  user = 'ada';
  now += 60_000;
  expect((await post({ messageId: 'm', action: 'accept' })).status).toBe(202);
});
