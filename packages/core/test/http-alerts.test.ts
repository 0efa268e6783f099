import { renderPage, type Page } from '../src/http/page.js';
import { toText } from '../src/http/html.js';
import {
  alertOf,
  ALERT_ID,
  alertsPageOf,
  budgetOf,
  callBudgetOf,
  recordOf,
  scopeOf,
  snapshotOf,
  totalsOf,
} from './http-fixture.js';
import { parseStrict, textOf, type Tag } from './html-parser.js';

function render(page: Partial<Page> = {}): string {
  const query = new URLSearchParams();
  return toText(renderPage({ snapshot: snapshotOf(), recent: [recordOf()], query, ...page }));
}

const firing = (...alerts: ReturnType<typeof alertOf>[]) =>
  snapshotOf({ alerts: { firing: alerts, pending: 0, silenced: 0 } });

/** The inputs of each form that sends a POST. */
function postsOf(html: string) {
  const posts: { action: string; fields: Record<string, string>; label: string }[] = [];
  let form: Tag['attributes'] | undefined;
  for (const { name, attributes } of parseStrict(html).tags) {
    if (name === 'form') form = attributes;
    if (form?.get('method') !== 'post') continue;
    const post = posts.at(-1);
    if (name === 'form') posts.push({ action: form.get('action') ?? '', fields: {}, label: '' });
    else if (name === 'input' && post) {
      post.fields[attributes.get('name') ?? ''] = attributes.get('value') ?? '';
    } else if (name === 'button' && post) post.label = attributes.get('aria-label') ?? '';
    if (name === '/form') form = undefined;
  }
  return posts;
}

describe('the banner of the page', () => {
  const roles = (html: string) =>
    parseStrict(html).tags.filter(({ attributes }) => attributes.get('role') === 'alert');

  it('is there only when something fires, and then before all figures', () => {
    expect(roles(render())).toEqual([]);
    const html = render({ snapshot: firing(alertOf()) });
    expect(roles(html)).toHaveLength(1);
    const text = textOf(html);
    expect(text).toContain(
      '1 alert is firing Critical Error rate 7.2 % over 5 min (limit 5 %) ' +
        'feature POST /chat/:room, since 2026-11-24 14:02 UTC',
    );
    expect(text.indexOf('Critical')).toBeLessThan(text.indexOf('Spend $'));
  });

  it('is there without any call, too', () => {
    const snapshot = { ...firing(alertOf()), totals: totalsOf({ calls: 0 }) };
    expect(textOf(render({ snapshot, recent: [] }))).toMatch(/1 alert is firing.*No calls yet/);
  });

  it('has the worst first, then the oldest; of many, five and the rest below', () => {
    const alerts = [
      alertOf({ id: 'i', severity: 'info', title: 'an info' }),
      ...[5, 3, 4].map((minute) =>
        alertOf({
          id: `w${minute}`,
          severity: 'warning',
          title: `warning ${minute}`,
          since: `2026-11-24T13:0${minute}:00.000Z`,
        }),
      ),
      alertOf({ id: 'c', title: 'a critical one' }),
      alertOf({ id: 'j', severity: 'info', title: 'another info', since: '2026-11-24T14:02:30Z' }),
    ];
    const html = render({ snapshot: firing(...alerts), alerts: alertsPageOf({ firing: alerts }) });
    const text = textOf(html);
    const order = [
      'a critical one',
      'warning 3',
      'warning 4',
      'warning 5',
      'an info',
      'and 1 more',
    ];
    const places = order.map((title) => text.indexOf(title));
    expect(places).toEqual(places.toSorted((a, b) => a - b));
    expect(places).not.toContain(-1);
    expect(text.split('another info')).toHaveLength(2);
    expect(text.indexOf('another info')).toBeGreaterThan(text.indexOf('Alerts '));
  });

  it('leaves out what is silenced, until the silence is over', () => {
    const silenced = (silencedUntil: string) => firing(alertOf({ silencedUntil }));
    expect(roles(render({ snapshot: silenced('2026-11-24T14:03:08.000Z') }))).toEqual([]);
    expect(roles(render({ snapshot: silenced('2026-11-24T14:03:07.000Z') }))).toHaveLength(1);
  });

  it('silences by a form that leads back to the same view, if the monitor can', () => {
    const query = new URLSearchParams('range=1h&user=a&b=%22');
    const snapshot = firing(alertOf());
    expect(postsOf(render({ snapshot, query }))).toEqual([]);
    expect(postsOf(render({ snapshot, query, canSilence: true }))).toEqual([
      {
        action: `alerts/${ALERT_ID}/silence`,
        fields: { minutes: '60', view: 'range=1h&user=a&b=%22' },
        label: 'Silence for one hour: Error rate 7.2 % over 5 min (limit 5 %)',
      },
    ]);
  });
});

describe('the section about alerts', () => {
  const page = alertsPageOf({
    pending: [alertOf({ id: 'pending-00000000', state: 'pending', title: 'slow' })],
    silenced: [
      alertOf({ id: 'silenced-0000000', title: 'quiet', silencedUntil: '2026-11-24T15:00:00Z' }),
    ],
    recent: [
      alertOf({
        id: 'resolved-0000000',
        state: 'resolved',
        title: 'gone',
        severity: 'info',
        group: null,
        resolvedAt: '2026-11-24T13:30:00Z',
      }),
    ],
  });

  it('lists what is pending, silenced and resolved, with what can be done', () => {
    const html = render({ alerts: page, canSilence: true });
    const text = textOf(html);
    for (const line of [
      'quiet POST /chat/:room Critical firing, silenced until 2026-11-24 15:00 2026-11-24 14:02 End silence',
      'slow POST /chat/:room Critical pending 2026-11-24 14:02 Silence 1 h',
      'gone – Info resolved 2026-11-24 13:30 2026-11-24 14:02',
    ]) {
      expect(text).toContain(line);
    }
    expect(postsOf(html).map(({ action, fields }) => [action, fields])).toEqual([
      ['alerts/silenced-0000000/silence', { minutes: '0' }],
      ['alerts/pending-00000000/silence', { minutes: '60' }],
    ]);
  });

  it('lists an alert once, although it fires and is silenced', () => {
    const both = alertOf({ silencedUntil: '2026-11-24T15:00:00Z', title: 'twice' });
    const alerts = alertsPageOf({ firing: [both], silenced: [both] });
    const html = render({ snapshot: firing(both), alerts, canSilence: true });
    expect(postsOf(html)).toHaveLength(1);
  });

  it('says what is wrong with rules and channels', () => {
    const alerts = alertsPageOf({
      channels: [
        { name: 'slack', sent: 7, failed: 2, dropped: 1, queued: 4, lastError: 'HTTP 500' },
      ],
      failing: [{ rule: 'mine', message: 'it threw' }],
    });
    const text = textOf(render({ alerts }));
    expect(text).toContain('Rules that could not be evaluated: mine: it threw');
    expect(text).toContain('slack 7 4 2 1 HTTP 500');
  });

  it('is not there when there is nothing to say, and counts when nobody can be asked', () => {
    expect(render({ alerts: alertsPageOf() })).not.toContain('id="alerts"');
    expect(render()).not.toContain('id="alerts"');
    const snapshot = snapshotOf({ alerts: { firing: [], pending: 2, silenced: 1 } });
    expect(textOf(render({ snapshot }))).toContain('Alerts 2 pending, 1 silenced.');
    expect(textOf(render({ snapshot, alerts: null }))).toContain(
      '2 pending, 1 silenced. Which ones could not be read just now.',
    );
  });

  it('is bounded', () => {
    const many = Array.from({ length: 300 }, (_, i) =>
      alertOf({ id: `id-${String(i).padStart(13, '0')}` }),
    );
    const alerts = alertsPageOf({ firing: many, recent: many, pending: many });
    const { tags } = parseStrict(render({ snapshot: firing(...many), alerts }));
    const rows = tags.filter(({ name }) => name === 'tr').length;
    const without = parseStrict(render()).tags.filter(({ name }) => name === 'tr').length;
    expect(rows - without).toBeLessThan(150);
  });
});

describe('the section about budgets', () => {
  const budgets = (...reports: ReturnType<typeof budgetOf>[]) =>
    render({ snapshot: snapshotOf({ budgets: reports }) });

  it('is not there without budgets, and comes right after the tiles', () => {
    expect(render()).not.toContain('id="budgets"');
    expect(textOf(budgets(budgetOf()))).toMatch(
      /Cache hits .* tokens Budgets user-daily.*Spend per/,
    );
  });

  it('says what the limit is for, when it ends, and how much of it is used', () => {
    const text = textOf(budgets(budgetOf()));
    expect(text).toContain(
      'user-daily per day, of each user, block; this one ends 2026-11-25 00:00 UTC.',
    );
    expect(text).toContain('User Used Spent Held Limit ada 80 % $3.50 $0.5000 $5.00');
  });

  it.each([
    [budgetOf({ of: 'all', action: 'warn' }), 'per day, of everything, warn'],
    [budgetOf({ of: { tag: 'team' }, per: 'week' }), 'per week, of each value of the tag team'],
    [budgetOf({ per: 'call', from: null, to: null }), 'per call, of each user, block.'],
    [budgetOf({ timeZone: 'Asia/Tokyo' }), '00:00 UTC, as days and hours are in Asia/Tokyo.'],
    [budgetOf({ shadow: true, wouldBlock: 1234 }), 'shadow: nothing is blocked'],
    [budgetOf({ shadow: true, wouldBlock: 1234 }), 'Calls: 1,234 would have been blocked.'],
    [
      budgetOf({ calls: { allow: 9, warn: 1, clamp: 2, downgrade: 3, block: 4 } }),
      'Calls: 4 blocked, 3 downgraded, 2 made shorter, 1 warned about.',
    ],
    [budgetOf({ scopes: [], scopeCount: 0 }), 'Nothing is spent in this period yet.'],
    [budgetOf({ scopeCount: 4321 }), 'The 1 nearest to their limit, of 4,321.'],
    [budgetOf({ scopes: [scopeOf({ scope: null })] }), 'everything 80 %'],
    [budgetOf({ scopes: [scopeOf({ limitUsd: 0, used: null })] }), 'ada – $3.50 $0.5000 $0.00'],
    [
      budgetOf({ scopes: [scopeOf({ limitUsd: Infinity, used: null })] }),
      'ada – $3.50 $0.5000 none',
    ],
    [
      budgetOf({ scopes: [scopeOf({ uncertainUsd: 0.25, overrunUsd: 1, unpricedCalls: 3 })] }),
      'Limit Uncertain Beyond what was held Not priced ada 80 % $3.50 $0.5000 $5.00 $0.2500 $1.00 3',
    ],
  ])('words of %#: %j', (report, words) => {
    expect(textOf(budgets(report))).toContain(words);
  });

  it.each([
    [{ spentUsd: 1, heldUsd: 1, limitUsd: 4, used: 0.5 }, ['25.0', '25.0'], ''],
    [{ spentUsd: 0, heldUsd: 0, limitUsd: 4, used: 0 }, ['0.0', '0.0'], ''],
    [{ spentUsd: 5, heldUsd: 5, limitUsd: 4, used: 2.5 }, ['100.0', '0.0'], 'failed'],
    [{ spentUsd: -1, heldUsd: 2, limitUsd: 4, used: 0.25 }, ['0.0', '50.0'], ''],
  ])('draws what is spent and held inside the bar: %j', (scope, widths, kind) => {
    const { tags } = parseStrict(budgets(budgetOf({ scopes: [scopeOf(scope)] })));
    const at = tags.findIndex(({ attributes }) => attributes.get('class') === 'gauge');
    const [, , spent, held] = tags.slice(at);
    expect([spent, held].map((rect) => rect?.attributes.get('width'))).toEqual(widths);
    expect(spent?.attributes.get('class')).toBe(kind);
    expect(held?.attributes.get('x')).toBe(widths[0]);
  });
});

describe('recent calls', () => {
  it.each([
    [callBudgetOf({ verdict: 'block', reason: 'limit', budget: 'b' }), 'blocked by b'],
    [callBudgetOf({ verdict: 'block', reason: 'paused' }), 'blocked (paused)'],
    [callBudgetOf({ verdict: 'warn', reason: 'unpriced', budget: 'b' }), 'warned by b (unpriced)'],
    [callBudgetOf({ verdict: 'clamp', budget: 'b', sentMaxTokens: 64 }), 'max_tokens 64 by b'],
    [
      callBudgetOf({ verdict: 'downgrade', budget: 'b', sentModel: 'claude-haiku-4-5' }),
      'sonnet-5 → haiku-4-5 by b',
    ],
    [callBudgetOf({ wouldBlock: ['x', 'y'] }), 'would block: x, y'],
  ])('say what budgets did: %#', (budget, words) => {
    const text = textOf(render({ recent: [recordOf({ budget }), recordOf()] }));
    expect(text).toContain(`overloaded (529) ${words} req_1`);
    expect(text).toContain('overloaded (529) – req_1');
  });

  it('have no column for budgets that let everything be', () => {
    const recent = [recordOf({ budget: callBudgetOf() }), recordOf()];
    expect(textOf(render({ recent }))).toContain('Ended Request id');
  });
});

it('the tile of calls counts those that were blocked', () => {
  const outcomes = { ...totalsOf().outcomes, blocked: 12 };
  const snapshot = snapshotOf({ totals: totalsOf({ outcomes }) });
  expect(textOf(render({ snapshot }))).toContain('Calls 40 35 ok, 12 blocked');
});
