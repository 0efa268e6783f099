import { alert } from '../src/alerts/rules.js';
import type { Alert, AlertsPage } from '../src/alert.js';
import { createHttp } from '../src/http.js';
import { createMonitor } from '../src/monitor.js';
import type { Snapshot } from '../src/snapshot.js';
import { parseStrict, textOf } from './html-parser.js';
import { ask } from './http-fixture.js';

/** The page and the addresses of alerts, over a monitor whose alerts really fire. */

const MINUTE = 60_000;

it('what fires stands on the page, is silenced by its form, and says so until it is over', async () => {
  let now = Date.parse('2026-11-24T14:00:00Z');
  const clock = { now: () => now, monotonic: () => now };
  const monitor = createMonitor({
    ...{ log: false, clock, channels: [], onNotice: () => {}, onError: () => {} },
    alerts: [alert.spendAbove(1, { severity: 'critical' })],
  });
  const http = createHttp(monitor, { authorize: () => true, now: () => now });
  const page = async () => (await ask(http, '/')).body;
  const alerts = async () => {
    await monitor.evaluateAlerts();
    return JSON.parse((await ask(http, '/alerts')).body) as AlertsPage;
  };
  const banner = (html: string) =>
    parseStrict(html).tags.filter(({ attributes }) => attributes.get('role') === 'alert').length;
  try {
    expect(banner(await page())).toBe(0);
    const usage = { input_tokens: 2_000_000, output_tokens: 0 };
    monitor.record({ model: 'claude-sonnet-5', usage });
    now += 10 * MINUTE;
    const [fired] = (await alerts()).firing;
    expect(fired).toMatchObject({ severity: 'critical', state: 'firing', silencedUntil: null });
    expect(textOf(await page())).toContain(`1 alert is firing Critical ${fired?.title}`);

    const { tags } = parseStrict(await page());
    const form = tags.find(({ attributes }) => attributes.get('method') === 'post');
    const action = form?.attributes.get('action');
    expect(action).toBe(`alerts/${fired?.id}/silence`);
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'sec-fetch-site': 'same-origin',
    };
    const answer = await ask(http, `/${action}`, { method: 'POST', headers, body: 'minutes=60' });
    expect(answer.status).toBe(303);
    const [silenced] = (await alerts()).silenced;
    expect(silenced).toMatchObject({ id: fired?.id, silencedUntil: '2026-11-24T15:10:00.000Z' });
    const quiet = await page();
    expect(banner(quiet)).toBe(0);
    expect(textOf(quiet)).toContain('silenced until 2026-11-24 15:10');
    const snapshot = JSON.parse((await ask(http, '/snapshot')).body) as Snapshot;
    expect(snapshot.alerts.silenced).toBe(1);

    const asJson = { method: 'POST', headers: { 'content-type': 'application/json' } };
    const ended = await ask(http, `/${action}`, { ...asJson, body: '{"minutes":0}' });
    expect((JSON.parse(ended.body) as Alert).silencedUntil).toBeNull();
    expect(banner(await page())).toBe(1);
    const unknown = await ask(http, '/alerts/0000000000000000/silence', { ...asJson, body: '{}' });
    expect(unknown.status).toBe(404);
  } finally {
    await monitor.close();
  }
});
