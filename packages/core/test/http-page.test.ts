import fc from 'fast-check';
import { escapeHtml, markup, toText } from '../src/http/html.js';
import { renderPage, renderProblem, servePage, type Page } from '../src/http/page.js';
import { badQuery } from '../src/http/problem.js';
import { sourceOf } from '../src/workers.js';
import {
  alertOf,
  alertsPageOf,
  budgetOf,
  callBudgetOf,
  groupOf,
  recordOf,
  scopeOf,
  snapshotOf,
  totalsOf,
} from './http-fixture.js';
import { parseStrict, textOf } from './html-parser.js';

function render(page: Partial<Page> = {}): string {
  const query = new URLSearchParams();
  return toText(renderPage({ snapshot: snapshotOf(), recent: [recordOf()], query, ...page }));
}

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style></title></option><svg/onload=alert(1)>',
  '__proto__',
  'constructor',
  'javascript:alert(1)',
  '&lt;b&gt;&amp;',
  '`${alert(1)}`',
  'a\u0000b\u001b[31m\r\nSet-Cookie: x',
  '\u202Egnp.exe\u2066\u200F',
  '\uD800 alone \uDFFF',
  '<!--',
  ']]>',
  '{{7*7}}',
];

function hostilePage(name: string): Page {
  const group = groupOf(name);
  const record = recordOf({
    model: name,
    servedModel: name,
    feature: name,
    userId: name,
    requestId: name,
    error: { kind: 'unknown', type: name, message: name },
    budget: callBudgetOf({
      verdict: 'downgrade',
      budget: name,
      sentModel: name,
      wouldBlock: [name],
    }),
  });
  const alert = alertOf({ title: name, rule: name, group: { by: 'user', key: name } });
  const channel = { name, sent: 0, failed: 0, dropped: 0, queued: 0, lastError: name };
  const alerts = alertsPageOf({
    pending: [{ ...alert, id: 'pending-00000000' }],
    silenced: [{ ...alert, id: 'silenced-0000000', silencedUntil: '2026-11-24T15:00:00Z' }],
    channels: [channel],
    failing: [{ rule: name, message: name }],
  });
  const snapshot = snapshotOf({
    byModel: [group],
    byFeature: [group],
    byUser: [group],
    totals: totalsOf(),
    coverage: {
      ...snapshotOf().coverage,
      unpriced: { unknown_model: 1 },
      unpricedModels: [name],
      priceVersion: name,
    },
    health: {
      ok: false,
      faults: { [name]: { count: 1, lastMessage: name } },
      dropped: {},
      notices: [name],
    },
    budgets: [
      budgetOf({ name, of: { tag: name }, timeZone: name, scopes: [scopeOf({ scope: name })] }),
    ],
    alerts: { firing: [alert], pending: 1, silenced: 1 },
  });
  const query = new URLSearchParams({ user: name, range: name });
  return { snapshot, recent: [record], alerts, canSilence: true, query };
}

describe('names from outside', () => {
  // What the page is made of when every name is plain.
  const plain = parseStrict(toText(renderPage(hostilePage('plain'))));
  const shape = (page: typeof plain) =>
    page.tags.map(({ name, attributes }) => [name, [...attributes.keys()]]);

  it.each(HOSTILE)('%j adds no tag and no attribute, and nothing invisible', (name) => {
    const page = parseStrict(toText(renderPage(hostilePage(name))));
    expect(shape(page)).toEqual(shape(plain));
    expect(page.text.replaceAll('\n', ' ')).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
  });

  it('no string there is changes the structure, and visible ones come out as they went in', () => {
    const unit = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc
        .array(fc.constantFrom('<', '>', '"', "'", '`', '&', '/', '=', '!', '-', 'a', ' '), {
          maxLength: 40,
        })
        .map((chars) => chars.join('')),
    );
    fc.assert(
      fc.property(unit, (name) => {
        const built = toText(markup`<p title="${name}">${name}</p>`);
        const page = parseStrict(built);
        expect(page.tags.map((tag) => tag.name)).toEqual(['p', '/p']);
        const visible = name.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, '\uFFFD');
        expect(page.text).toBe(visible);
        expect(page.tags[0]?.attributes).toEqual(new Map([['title', visible]]));
      }),
      { numRuns: 3000 },
    );
  });

  it('links carry them as parameters, and lead nowhere else', () => {
    for (const name of HOSTILE) {
      const { tags } = parseStrict(toText(renderPage(hostilePage(name))));
      for (const { attributes } of tags) {
        const href = attributes.get('href');
        if (href === undefined) continue;
        expect(href).toMatch(/^(?:\?|\.\/|snapshot|calls|alerts|openapi\.json)/);
        expect(new URL(href, 'http://h/m/').pathname).toMatch(/^\/m\//);
      }
      const actions = tags.flatMap(({ attributes }) => attributes.get('action') ?? []);
      expect(actions).toHaveLength(4);
      for (const action of actions) {
        expect(action).toMatch(/^(?:\.\/|alerts\/[\w-]{16}\/silence)$/);
      }
    }
  });

  it('are escaped in a problem too', () => {
    const issue = { parameter: '<b>', value: '<i>', allowed: 'is not <u>' };
    const { tags } = parseStrict(toText(renderProblem(badQuery([issue]))));
    expect(tags.map((tag) => tag.name)).not.toEqual(expect.arrayContaining(['b']));
    expect(escapeHtml('<b>')).toBe('&lt;b&gt;');
  });
});

describe('the page', () => {
  it('needs no script, no style attribute and nothing from elsewhere, and its policy says so', () => {
    const { tags } = parseStrict(render());
    const names = new Set(tags.map(({ name }) => name));
    for (const name of ['script', 'img', 'link', 'iframe', 'base', 'object']) {
      expect(names).not.toContain(name);
    }
    for (const { attributes } of tags) {
      for (const attribute of attributes.keys())
        expect(attribute).not.toMatch(/^(?:on|style$|src)/);
    }
    const policy = servePage(markup``).headers['content-security-policy'];
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/]+=*'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    );
  });

  it('allows its own style sheet by hash', async () => {
    const { createHash } = await import('node:crypto');
    const style = /<style>([\s\S]*?)<\/style>/.exec(render())?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(servePage(markup``).headers['content-security-policy']).toContain(`'sha256-${hash}'`);
  });

  it('shows the figures: spend, calls, errors, latency, tokens, retries, groups, trust', () => {
    const text = textOf(render());
    for (const figure of [
      'Spend $1.25',
      'Calls 40 35 ok',
      'Error rate 5.0 % 2 failed, 4 retries',
      'Time, P95 2.70 s P50 900 ms, P99 4.50 s',
      'First token, P95 900 ms P50 300 ms, P99 1.50 s',
      'Cache hits 83 % of 6,000 input tokens',
      'Cache read 5,000 $0.2500',
      'Web searches (requests) 2 $0.0200',
      'overloaded 2 5.0 % yes',
      'refused 1 2.5 % no',
      'claude-haiku-4-5 $1.25',
      'POST /chat/:room',
      'With a user 93 %',
      'Price table 2026-11-20',
      '2026-11-24 14:00:00 claude-sonnet-5 summarise ada 10 3 200 ms 900 ms $0.000075 1 overloaded (529) req_1',
    ]) {
      expect(text).toContain(figure);
    }
  });

  it('says "at least" when calls have no price, and which model it was', () => {
    const { cost } = totalsOf();
    const snapshot = snapshotOf({
      totals: totalsOf({ cost: { ...cost, complete: false } }),
      coverage: {
        ...snapshotOf().coverage,
        unpriced: { unknown_model: 3 },
        unpricedModels: ['my-finetune'],
      },
    });
    const text = textOf(render({ snapshot }));
    expect(text).toContain('Spend, at least ≥ $1.25');
    expect(text).toContain('3 calls have no price');
    expect(text).toContain('my-finetune');
  });

  it('of one worker of several says so before the figures, and that of all does not', () => {
    const worker = { kind: 'pm2', index: 3, count: 4 } as const;
    const told = (shared: boolean) =>
      textOf(render({ snapshot: snapshotOf({ source: sourceOf(shared, worker) }) }));
    expect(told(false).indexOf('worker 3 of 4 only')).toBeGreaterThan(0);
    expect(told(false).indexOf('worker 3 of 4 only')).toBeLessThan(told(false).indexOf('Spend $'));
    expect(told(true)).not.toContain('worker');
  });

  it('shows faults and requests that nobody recorded before the figures', () => {
    const snapshot = snapshotOf({
      coverage: { ...snapshotOf().coverage, unobserved: 12 },
      health: {
        ok: false,
        faults: { 'sink:audit': { count: 3, lastMessage: 'Error: disk full' } },
        dropped: {},
        notices: [],
      },
    });
    const text = textOf(render({ snapshot }));
    expect(text.indexOf('12 requests to Claude')).toBeLessThan(text.indexOf('Spend $'));
    expect(text).toContain('sink:audit failed 3 times');
  });

  it('without any call is a checklist with the missing line, not a table of nothing', () => {
    const snapshot = snapshotOf({ totals: totalsOf({ calls: 0 }), series: [], byModel: [] });
    const text = textOf(render({ snapshot, recent: [] }));
    expect(text).toContain('No calls yet');
    expect(text).toContain('monitor.observe(new Anthropic())');
    expect(text).not.toContain('P99');
    const filtered = render({
      snapshot,
      recent: [],
      query: new URLSearchParams('user=bob&range=1h'),
    });
    expect(textOf(filtered)).toContain('No calls match');
    expect(filtered).toContain('href="?range=1h"');
  });

  it('says which lists cannot be told under the filters', () => {
    const snapshot = snapshotOf({ notKept: ['feature'], byFeature: [] });
    expect(textOf(render({ snapshot }))).toContain('By feature Not kept for these filters');
  });

  it('gives no number for what has no price at all', () => {
    const cost = { ...totalsOf().cost, nanoUsd: 0, usd: 0, complete: false };
    const snapshot = snapshotOf({ byModel: [groupOf('my-finetune', { cost })] });
    expect(textOf(render({ snapshot }))).toContain('my-finetune unpriced 0 % 40 unpriced');
  });

  it('keeps its state in the address: ranges and filters change one thing and leave the rest', () => {
    const query = new URLSearchParams('range=1h&model=claude-sonnet-5&by=user');
    const { tags } = parseStrict(render({ query }));
    const hrefs = tags.map(({ attributes }) => attributes.get('href')).filter((href) => href);
    expect(hrefs).toContain('?range=7d&model=claude-sonnet-5&by=user');
    expect(hrefs).toContain('?range=1h&model=claude-sonnet-5&by=user&user=ada');
    expect(hrefs).toContain('?range=1h&by=user');
    expect(hrefs).toContain('snapshot?range=1h&model=claude-sonnet-5&by=user');
    const current = tags.filter(({ attributes }) => attributes.get('aria-current') === 'true');
    expect(current.map(({ attributes }) => attributes.get('href'))).toEqual([
      '?range=1h&model=claude-sonnet-5&by=user',
    ]);
    const hidden = tags.filter(({ attributes }) => attributes.get('type') === 'hidden');
    expect(hidden.map(({ attributes }) => attributes.get('name'))).toEqual(['range', 'by']);
  });

  it('names every table, heads every column and row, and lets each scroll by keyboard', () => {
    const { tags } = parseStrict(render());
    const count = (name: string) => tags.filter((tag) => tag.name === name).length;
    expect(count('table')).toBe(9);
    expect(count('caption')).toBe(9);
    const heads = tags.filter((tag) => tag.name === 'th');
    expect(
      heads.every(({ attributes }) => /^(?:col|row)$/.test(attributes.get('scope') ?? '')),
    ).toBe(true);
    const regions = tags.filter(({ attributes }) => attributes.get('role') === 'region');
    expect(regions).toHaveLength(9);
    for (const { attributes } of regions) {
      expect([attributes.get('tabindex'), attributes.get('aria-label')]).toEqual([
        '0',
        expect.any(String),
      ]);
    }
    const inputs = tags.filter((tag) => tag.name === 'input' && !tag.attributes.has('type'));
    expect(inputs).toHaveLength(count('label'));
  });
});
