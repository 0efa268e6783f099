import { createHttp, type HttpOptions, type HttpReadings } from '../src/http.js';
import { MAX_BODY_BYTES } from '../src/http/submission.js';
import { alertOf, ALERT_ID, alertsPageOf, ask, snapshotOf, type Asked } from './http-fixture.js';

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const PATH = `/alerts/${ALERT_ID}/silence`;

function setUp(readings: Partial<HttpReadings> = {}, options: HttpOptions = {}) {
  const silenced: [id: string, forMs: number | null][] = [];
  const faults: string[] = [];
  const http = createHttp(
    {
      snapshot: () => Promise.resolve(snapshotOf()),
      calls: () => Promise.resolve({ calls: [], next: null, kept: 0, capacity: 9, dropped: 0 }),
      alerts: () => alertsPageOf(),
      silence(id, forMs) {
        silenced.push([id, forMs]);
        return id === ALERT_ID ? alertOf() : null;
      },
      fault: (step) => faults.push(step),
      ...readings,
    },
    { authorize: () => true, env: {}, ...options },
  );
  const post = (body: string, type = JSON_TYPE, { headers, ...asked }: Asked = {}, path = PATH) =>
    ask(http, path, {
      method: 'POST',
      body,
      headers: { 'content-type': type, 'sec-fetch-site': 'same-origin', ...headers },
      ...asked,
    });
  return { http, silenced, faults, post };
}

describe('GET /alerts', () => {
  it('answers the page of alerts', async () => {
    const page = alertsPageOf({ firing: [alertOf()] });
    const { http } = setUp({ alerts: () => Promise.resolve(page) });
    const response = await ask(http, '/alerts');
    expect([response.status, JSON.parse(response.body)]).toEqual([200, page]);
    expect((await ask(http, '/alerts?x=1')).status).toBe(400);
  });

  it('is 500 when they cannot be read, and the page goes without them', async () => {
    const { http, faults } = setUp({
      alerts() {
        throw new Error('secret');
      },
    });
    const response = await ask(http, '/alerts');
    expect(response.status).toBe(500);
    expect(response.body).not.toContain('secret');
    expect(faults).toEqual(['http']);
    const page = await ask(http, '/');
    expect([page.status, page.body]).toEqual([200, expect.stringContaining('could not be read')]);
  });
});

describe('a silence', () => {
  it.each([
    ['{"minutes":1}', JSON_TYPE, 60_000],
    ['{"minutes":10080}', JSON_TYPE, 604_800_000],
    ['{"minutes":0}', JSON_TYPE, null],
    ['{}', JSON_TYPE, 3_600_000],
    ['', JSON_TYPE, 3_600_000],
    [' {"minutes": 5 }\n', 'Application/JSON; charset=UTF-8', 300_000],
    ['minutes=30', FORM_TYPE, 1_800_000],
    ['minutes=0', FORM_TYPE, null],
    ['', FORM_TYPE, 3_600_000],
    ['view=range%3D1h', FORM_TYPE, 3_600_000],
  ])('of %j as %s is for %s ms', async (body, type, forMs) => {
    const { post, silenced, faults } = setUp();
    const { status } = await post(body, type);
    expect(status).toBe(type === FORM_TYPE ? 303 : 200);
    expect(silenced).toEqual([[ALERT_ID, forMs]]);
    expect(faults).toEqual([]);
  });

  it('asks how alerts are before and after, for another process may look at them', async () => {
    const asked: string[] = [];
    const { post } = setUp({
      alerts() {
        asked.push('alerts');
        return Promise.resolve(alertsPageOf());
      },
      silence() {
        asked.push('silence');
        return alertOf();
      },
    });
    expect((await post('{}')).status).toBe(200);
    expect(asked).toEqual(['alerts', 'silence', 'alerts']);
  });

  it('answers the alert as JSON', async () => {
    const { post } = setUp();
    const response = await post('{"minutes":5}');
    expect(response.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(JSON.parse(response.body)).toEqual(alertOf());
  });

  it.each([
    ['minutes=60', './'],
    ['minutes=60&view=', './'],
    ['minutes=60&view=range%3D1h%26user%3Da%2520b', './?range=1h&user=a+b'],
    ['view=//evil.example', './?%2F%2Fevil.example='],
    ['view=%0d%0aSet-Cookie:+x', './?%0D%0ASet-Cookie%3A+x='],
    ['view=%E2%80%AE%00', './?%E2%80%AE%00='],
    [`view=${'x'.repeat(2049)}`, './'],
  ])('of a form %s leads back to the page', async (body, expected) => {
    const { post } = setUp();
    for (const mount of ['/claude-metrics', '', '/app/tenant-1/claude-metrics']) {
      const { status, headers, body: answer } = await post(body, FORM_TYPE, { mount });
      expect([status, answer]).toEqual([303, '']);
      const location = headers['location'] ?? '';
      expect(location).toMatch(/^\.\.\/\.\.\/[\x21-\x7e]*$/);
      const origin = 'https://proxy.example/stripped';
      const target = new URL(location, `${origin}${mount}${PATH}`);
      expect(target.href).toBe(new URL(expected, `${origin}${mount}/`).href);
    }
  });

  it.each([
    ['{"minutes":-1}', JSON_TYPE, 'minutes'],
    ['{"minutes":10081}', JSON_TYPE, 'minutes'],
    ['{"minutes":1.5}', JSON_TYPE, 'minutes'],
    ['{"minutes":"60"}', JSON_TYPE, 'minutes'],
    ['{"minutes":null}', JSON_TYPE, 'minutes'],
    ['{"minutes":[60]}', JSON_TYPE, 'minutes'],
    ['{"minutes":1e400}', JSON_TYPE, 'minutes'],
    ['{"minute":60}', JSON_TYPE, 'minute'],
    ['{"view":"range=1h"}', JSON_TYPE, 'view'],
    ['{"__proto__":{"minutes":60}}', JSON_TYPE, '__proto__'],
    ['{"constructor":1}', JSON_TYPE, 'constructor'],
    ['minutes=', FORM_TYPE, 'minutes'],
    ['minutes=1e3', FORM_TYPE, 'minutes'],
    ['minutes=+5', FORM_TYPE, 'minutes'],
    ['minutes=-5', FORM_TYPE, 'minutes'],
    ['minutes=99999', FORM_TYPE, 'minutes'],
    ['minutes=5&minutes=6', FORM_TYPE, 'minutes'],
    ['hours=1', FORM_TYPE, 'hours'],
  ])('of %s as %s is 400 and names %s', async (body, type, field) => {
    const { post, silenced } = setUp();
    const response = await post(body, type);
    expect(response.status).toBe(400);
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(JSON.parse(response.body)).toEqual({
      type: 'urn:claude-metrics:problem:bad-body',
      title: 'The body cannot be understood',
      status: 400,
      detail: expect.stringContaining(`${field}: `),
      errors: [{ parameter: field, value: expect.any(String), allowed: expect.any(String) }],
    });
    expect(silenced).toEqual([]);
  });

  it.each(['[]', 'null', '5', '"minutes"', '{', 'minutes=60', '{"minutes":60}x', '\u0000'])(
    'of %j, which is no JSON object, is 400 and says what one is',
    async (body) => {
      const { post, silenced } = setUp();
      const response = await post(body);
      expect(response.status).toBe(400);
      expect(JSON.parse(response.body)).toMatchObject({ detail: expect.stringContaining('{}') });
      expect(silenced).toEqual([]);
    },
  );

  it('never repeats more than a little of what was sent', async () => {
    const { post } = setUp();
    const fields = Array.from({ length: 90 }, (_, i) => [`${'n'.repeat(80)}${i}`, 'v'.repeat(80)]);
    const response = await post(JSON.stringify(Object.fromEntries(fields)));
    expect(response.status).toBe(400);
    expect(response.body.length).toBeLessThan(4000);
  });

  it.each(['text/plain', 'multipart/form-data; boundary=x', 'application/json5', ''])(
    'as %j is 415',
    async (type) => {
      const { post, silenced } = setUp();
      expect((await post('{}', type)).status).toBe(415);
      expect(silenced).toEqual([]);
    },
  );

  it('of an alert that does not exist is 404', async () => {
    const { post, silenced } = setUp();
    const response = await post('{}', JSON_TYPE, {}, '/alerts/0000000000000000/silence');
    expect(response.status).toBe(404);
    expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(silenced).toEqual([['0000000000000000', 3_600_000]]);
  });

  it.each([
    '/alerts/short/silence',
    `/alerts/${ALERT_ID}x/silence`,
    '/alerts/../alerts-00000000/silence',
    '/alerts/0000%2e0000000000/silence',
    `/alerts/${ALERT_ID}/silence/`,
    `/alerts//silence`,
    `//alerts/${ALERT_ID}/silence`,
    `/alerts/${ALERT_ID}\n/silence`,
    `/alerts/${ALERT_ID}/silence\n`,
    '/alerts/__proto__/silence',
    '/alerts/{id}/silence',
  ])('has no other address: %j is not found', async (path) => {
    const { post, silenced } = setUp();
    expect((await post('{}', JSON_TYPE, {}, path)).status).toBe(404);
    expect(silenced).toEqual([]);
  });

  it('takes no parameters in its address', async () => {
    const { post, silenced } = setUp();
    expect((await post('{}', JSON_TYPE, {}, `${PATH}?minutes=5`)).status).toBe(400);
    expect(silenced).toEqual([]);
  });

  it('that the monitor cannot do is 500, without a word of the reason, and counts', async () => {
    const { post, faults } = setUp({
      silence: () => Promise.reject(new Error('secret connection string')),
    });
    const response = await post('{}');
    expect([response.status, faults]).toEqual([500, ['http']]);
    expect(response.body).not.toContain('secret');
  });

  it('tells a person as a page, which leads back', async () => {
    const { post } = setUp();
    const headers = { accept: 'text/html' };
    const bad = await post('minutes=<b>', FORM_TYPE, { headers });
    expect([bad.status, bad.headers['content-type']]).toEqual([400, 'text/html; charset=utf-8']);
    expect(bad.body).toContain('href="../../"');
    expect(bad.body).toContain('&lt;b&gt;');
    const gone = await post('', FORM_TYPE, { headers }, '/alerts/0000000000000000/silence');
    expect([gone.status, gone.body]).toEqual([404, expect.stringContaining('no such alert')]);
  });
});

describe('the length of a body', () => {
  it('is at most 16 KiB', async () => {
    const { post, silenced } = setUp();
    const filled = (bytes: number) => `{}${' '.repeat(bytes - 2)}`;
    expect((await post(filled(MAX_BODY_BYTES))).status).toBe(200);
    const response = await post(filled(MAX_BODY_BYTES + 1));
    expect(response.status).toBe(413);
    expect(JSON.parse(response.body)).toMatchObject({ status: 413, title: 'Content Too Large' });
    expect(silenced).toHaveLength(1);
  });

  it('that is too long by its own account is not read', async () => {
    const { http, silenced } = setUp();
    const headers: Record<string, string> = {
      'content-type': JSON_TYPE,
      'content-length': String(MAX_BODY_BYTES + 1),
    };
    const { status } = await http.handle({
      method: 'POST',
      path: PATH,
      query: new URLSearchParams(),
      header: (name) => headers[name],
      url: PATH,
      secure: false,
      native: null,
      readBody: () => Promise.reject(new Error('read')),
    });
    expect([status, silenced]).toEqual([413, []]);
  });
});

describe('what may change something', () => {
  const other = { 'sec-fetch-site': 'cross-site' };

  it('is refused from another site, in JSON too, before the body is read', async () => {
    const { post, silenced } = setUp();
    for (const type of [JSON_TYPE, FORM_TYPE, 'text/plain']) {
      const response = await post('{}', type, { headers: other });
      expect(response.status).toBe(403);
      expect(response.headers['content-type']).toBe('application/problem+json; charset=utf-8');
      expect(JSON.parse(response.body)).toMatchObject({ status: 403, title: 'Forbidden' });
    }
    expect(silenced).toEqual([]);
  });

  it('asks for access first: a closed mount does not tell that it has such an address', async () => {
    const closed = setUp({}, { authorize: () => false, env: { NODE_ENV: 'production' } });
    for (const headers of [other, {}]) {
      const response = await closed.post('{}', JSON_TYPE, { headers });
      expect([response.status, response.body]).toEqual([404, 'Not Found\n']);
    }
    expect(closed.silenced).toEqual([]);
  });

  it('believes a host of allowedHosts, where a proxy changes Host', async () => {
    const origin = 'https://metrics.example';
    const headers = { origin, host: 'upstream:3000' };
    const form = (http: ReturnType<typeof setUp>) =>
      ask(http.http, PATH, {
        method: 'POST',
        body: 'minutes=5',
        headers: { ...headers, 'content-type': FORM_TYPE },
      });
    expect((await form(setUp())).status).toBe(403);
    expect((await form(setUp({}, { allowedHosts: ['metrics.example'] }))).status).toBe(303);
  });

  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'post'])(
    'is POST alone: %s is 405, and changes nothing',
    async (method) => {
      const { http, silenced } = setUp();
      const headers = { 'content-type': JSON_TYPE };
      const { status, headers: answered } = await ask(http, PATH, { method, headers, body: '{}' });
      expect([status, answered['allow']]).toEqual([405, 'POST']);
      expect(silenced).toEqual([]);
    },
  );

  it('is nothing else under the mount', async () => {
    const { post } = setUp();
    for (const path of ['/', '/snapshot', '/calls', '/alerts', '/openapi.json']) {
      const { status, headers } = await post('{}', JSON_TYPE, {}, path);
      expect([path, status, headers['allow']]).toEqual([path, 405, 'GET, HEAD']);
    }
  });
});
