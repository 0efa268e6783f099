import fc from 'fast-check';
import { endsInSlash, mountOf, withoutToken, withSlash } from '../src/http/location.js';

const ORIGIN = 'https://app.example';

describe('withSlash', () => {
  it.each([
    ['/claude-metrics', 'claude-metrics/'],
    ['/claude-metrics?range=1h', 'claude-metrics/?range=1h'],
    ['/deep/er/m?a=1?b=/', 'm/?a=1?b=/'],
    ['/a%2Fb', './a%2Fb/'],
    ['/javascript:alert(1)', './javascript:alert(1)/'],
    ['/\\evil.example', './%5Cevil.example/'],
    ['//evil.example', 'evil.example/'],
    ['/..', './../'],
    ['/m?<">', 'm/?%3C%22%3E'],
  ])('%s → %s', (url, location) => {
    expect(withSlash(url)).toBe(location);
  });

  it('stays on the same origin for every address there is, and is a header', () => {
    const part = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('/', '//', '\\', ':', '?', '#', '..', '%2f', '@', 'http:', '\t', '\n'),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
        const location = withSlash(`/${parts.join('')}`);
        expect(location).toMatch(/^[\x21-\x7e]+$/);
        expect(location).not.toMatch(/^(?:\/|[a-z][a-z0-9+.-]*:)/i);
        expect(new URL(location, `${ORIGIN}/a/b`).origin).toBe(ORIGIN);
      }),
      { numRuns: 2000 },
    );
  });
});

it('withoutToken takes only the token away, and stays relative', () => {
  const query = new URLSearchParams('token=a&range=1h&token=b&user=%2F%2Fx');
  expect(withoutToken('/', query)).toBe('./?range=1h&user=%2F%2Fx');
  expect(withoutToken('', new URLSearchParams('token=a'))).toBe('./');
  expect(withoutToken('/snapshot', query)).toBe('./snapshot?range=1h&user=%2F%2Fx');
  expect(withoutToken('/\\evil.example', query)).toMatch(/^\.\/%5Cevil/);
});

it('endsInSlash looks at the path, not at the query', () => {
  expect(['/m', '/m?x=/', '/m#/'].map(endsInSlash)).toEqual([false, false, false]);
  expect(['/m/', '/m/?x', '/'].map(endsInSlash)).toEqual([true, true, true]);
});

it('mountOf finds what is in front of the mount, and gives up on what cannot be printed', () => {
  expect(mountOf('/app/claude-metrics/snapshot?x', '/snapshot')).toBe('/app/claude-metrics');
  expect(mountOf('/claude-metrics', '')).toBe('/claude-metrics');
  expect(mountOf('/claude-metrics/', '/')).toBe('/claude-metrics');
  expect(mountOf('/m\u001b[31m/x', '/x')).toBe('');
});
