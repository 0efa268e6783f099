/** The part of the page about people, what they thought of it, and when they come. */
import { toText } from '../src/http/html.js';
import { renderPage } from '../src/http/page.js';
import type { Snapshot } from '../src/snapshot.js';
import { feedbackOf, groupOf, recordOf, snapshotOf, usageOf } from './http-fixture.js';
import { parseStrict, textOf } from './html-parser.js';

const noUsers = { users: null, topUsers: [], topPairs: [], sessions: null };

function render(patch: Partial<Snapshot> = {}): string {
  const query = new URLSearchParams();
  return toText(renderPage({ snapshot: snapshotOf(patch), recent: [recordOf()], query }));
}

describe('people', () => {
  it('are counted, with their days, weeks and months, and with their sessions', () => {
    const text = textOf(render());
    expect(text).toContain('Users in this window 2');
    expect(text).toContain('Calls a user 19');
    expect(text).toContain('Last day (2026-11-24) 2, not all of it');
    expect(text).toContain('Last week (2026-11-23) 2, not all of it');
    expect(text).toContain('Last month (2026-11) 2, not all of it');
    expect(text).toContain('Sessions about 4 (± 4.6 %)');
    expect(text).toContain('Tokens a session 850 Calls a session 5.0');
    expect(text).toContain('Days, weeks and months of UTC.');
  });

  it('say how sure that is', () => {
    const users = usageOf().users!;
    const estimate = { ...users, count: 12_345, kind: 'estimate', error: 0.046 } as const;
    expect(textOf(render({ usage: usageOf({ users: estimate }) }))).toContain(
      'Users in this window about 12,345 (± 4.6 %)',
    );
    const least = { ...users, count: 50, kind: 'at_least', error: null } as const;
    expect(textOf(render({ usage: usageOf({ users: least }) }))).toContain(
      'Users in this window at least 50',
    );
  });

  it('are not told where they cannot be', () => {
    const html = render({ usage: usageOf(noUsers) });
    expect(textOf(html)).toContain('is not kept for these filters together');
    expect(textOf(html)).not.toContain('Most calls by user');
  });
});

describe('hours of the week', () => {
  it('are drawn and listed, and the busiest is named', () => {
    const html = render();
    const { tags } = parseStrict(html);
    const label = 'Calls by weekday and hour, most 30, Mon 10:00';
    const drawing = tags.findIndex(({ attributes }) => attributes.get('aria-label') === label);
    const end = tags.findIndex(({ name }, i) => i > drawing && name === '/svg');
    const squares = tags.slice(drawing, end).filter(({ name }) => name === 'rect');
    expect(squares).toHaveLength(7 * 24);
    const busy = squares.filter(({ attributes }) => attributes.get('class') !== 'track');
    expect(busy.map(({ attributes }) => attributes.get('fill-opacity'))).toEqual(['1.00', '0.43']);
    expect(textOf(html)).toContain('Calls by weekday and hour, UTC');
  });

  it('without calls are not drawn', () => {
    const calls = Array.from({ length: 7 }, () => Array.from({ length: 24 }, () => 0));
    const html = render({ usage: usageOf({ hours: { calls, peak: null } }) });
    expect(html).not.toContain('class="week"');
  });
});

describe('feedback', () => {
  it('has a row for each feature and model that somebody has said something about', () => {
    const byFeature = [groupOf('chat', { feedback: feedbackOf() }), groupOf('silent')];
    const rate = { acceptanceRate: null, rejectionRate: null };
    const none = { ...rate, costPerAccepted: null, costPerAcceptedAlike: null };
    const byModel = [groupOf('opus', { feedback: feedbackOf(none) })];
    const text = textOf(render({ byFeature, byModel }));
    expect(text).toContain('chat 10 75 % 25 % 10 % 10 % $0.1786 $0.0510');
    expect(text).toContain('opus 10 – – 10 % 10 % – –');
    expect(text).not.toMatch(/Feedback by feature.*silent 10/);
  });

  it('says where it comes from while there is none', () => {
    expect(textOf(render())).toContain('None in this window. It comes from monitor.feedback().');
  });

  it('escapes names, which may be anything', () => {
    const name = `"><script>alert('1')</script>`;
    const pair = { user: name, feature: name, calls: 1, usd: 0, nanoUsd: 0 };
    const html = render({
      usage: usageOf({ topPairs: [pair] }),
      byFeature: [groupOf(name, { feedback: feedbackOf() })],
    });
    expect(html).not.toContain('<script');
    expect(parseStrict(html).text).toContain(name);
  });
});
