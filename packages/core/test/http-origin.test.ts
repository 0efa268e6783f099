import type { HttpRequest } from '../src/http.js';
import { forgeryOf } from '../src/http/origin.js';

/** Who may send a `POST`: our own page, and what is no browser. */
function refused(headers: Record<string, string>, secure = false, allowed: string[] = []) {
  const request: HttpRequest = {
    method: 'POST',
    path: '',
    query: new URLSearchParams(),
    header: (name) => headers[name],
    url: '/',
    secure,
    native: null,
    readBody: () => Promise.resolve(''),
  };
  return forgeryOf(request, allowed) !== null;
}

const JSON_TYPE = { 'content-type': 'application/json' };
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' };
const host = 'app.example';

describe('a POST of a browser that says where it comes from', () => {
  it.each([
    ['same-origin', false],
    ['Same-Origin', false],
    ['cross-site', true],
    ['same-site', true],
    ['none', true],
    ['', true],
    ['same-origin, cross-site', true],
    ['null', true],
  ])('Sec-Fetch-Site: %s is refused: %s', (site, expected) => {
    for (const rest of [{}, JSON_TYPE, FORM_TYPE, { origin: `https://${host}` }]) {
      expect(refused({ host, 'sec-fetch-site': site, ...rest })).toBe(expected);
    }
  });

  it('is believed, whatever Origin is: a page without a referrer sends `null`', () => {
    const own = { host, 'sec-fetch-site': 'same-origin' };
    expect(refused({ ...own, origin: 'null' })).toBe(false);
    expect(refused({ ...own, origin: `https://${host}`, 'sec-fetch-site': 'cross-site' })).toBe(
      true,
    );
  });
});

describe('a POST of a browser that names only the origin', () => {
  it.each([
    // Origin, Host, is it ours
    ['https://app.example', 'app.example', true],
    ['http://app.example', 'app.example', true],
    ['https://APP.example', 'app.EXAMPLE', true],
    ['https://app.example', 'app.example:443', true],
    ['http://app.example', 'app.example:80', true],
    ['http://localhost:3000', 'localhost:3000', true],
    ['http://127.0.0.1:3000', '127.0.0.1:3000', true],
    ['http://[::1]:3000', '[::1]:3000', true],
    ['http://[0:0:0:0:0:0:0:1]:3000', '[::1]:3000', true],
    ['http://[::1]', '[::1]:80', true],
    ['https://app.example', 'app.example:80', false],
    ['http://app.example', 'app.example:443', false],
    ['http://localhost:3001', 'localhost:3000', false],
    ['http://localhost', 'localhost:3000', false],
    ['http://127.0.0.1:3000', 'localhost:3000', false],
    ['http://[::2]:3000', '[::1]:3000', false],
    ['https://evil.example', 'app.example', false],
    ['https://app.example.evil.example', 'app.example', false],
    ['https://evil-app.example', 'app.example', false],
    ['https://www.app.example', 'app.example', false],
    ['https://app.example@evil.example', 'app.example', false],
    ['https://evil.example/app.example', 'app.example', false],
    ['https://app.example, https://evil.example', 'app.example', false],
    ['https://app.example\\@evil.example', 'app.example', false],
    ['null', 'app.example', false],
    ['null', 'null', false],
    ['', 'app.example', false],
    ['app.example', 'app.example', false],
    ['file://', 'app.example', false],
    ['file://app.example', 'app.example', false],
    ['chrome-extension://app.example', 'app.example', false],
    ['https://app.example', '', false],
    ['https://app.example', 'app.example/', false],
    ['https://app.example:99999', 'app.example:99999', false],
  ])('%s at the host %j is our own page: %s', (origin, at, ours) => {
    for (const type of [{}, JSON_TYPE, FORM_TYPE, { 'content-type': 'text/plain' }]) {
      expect(refused({ origin, host: at, ...type })).toBe(!ours);
    }
  });

  it('is refused without any host', () => {
    expect(refused({ origin: 'https://app.example' })).toBe(true);
  });

  it('is refused from http, when it was certainly sent to https', () => {
    expect(refused({ origin: `http://${host}`, host }, true)).toBe(true);
    expect(refused({ origin: `https://${host}`, host }, true)).toBe(false);
  });

  it.each([
    [['metrics.example'], 'https://metrics.example', false],
    [['Metrics.Example:8443'], 'https://metrics.example:8443', false],
    [['metrics.example:8443'], 'https://metrics.example', true],
    [['metrics.example'], 'https://metrics.example:8443', true],
    [['[2001:db8::1]'], 'https://[2001:DB8::1]', false],
    [['metrics.example'], 'https://x.metrics.example', true],
    [['*'], 'https://evil.example', true],
    [[''], 'null', true],
  ])(
    'behind a proxy that changes Host: allowedHosts %j, %s is refused: %s',
    (allowed, origin, no) => {
      expect(refused({ origin, host: 'upstream:3000', ...FORM_TYPE }, false, allowed)).toBe(no);
    },
  );
});

describe('a POST of what is no browser', () => {
  it.each([
    ['application/json', false],
    ['application/json; charset=utf-8', false],
    ['Application/JSON', false],
    ['application/x-www-form-urlencoded', true],
    ['multipart/form-data; boundary=x', true],
    ['text/plain', true],
    ['text/plain; application/json', true],
    ['text/plain;charset=application/json', true],
    ['application/jsonp', true],
    ['application/json, text/plain', true],
    ['', true],
  ])('with the type %j is refused: %s', (type, no) => {
    expect(refused({ host, 'content-type': type })).toBe(no);
  });

  it('is refused without a type', () => {
    expect(refused({ host })).toBe(true);
  });
});
