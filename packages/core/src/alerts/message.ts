import { randomUUID } from 'node:crypto';
import { aboutSpan, minuteOf } from './wording.js';
import type { Alert, AlertMessage } from '../alert.js';
import type { News } from './roster.js';

/** The message to people about one piece of news. */
export function messageOf({ event, alert }: News, now: number, link: string | null): AlertMessage {
  const lines = [headOf(event, alert), historyOf(event, alert, now), ...(link ? [link] : [])];
  return {
    id: randomUUID(),
    type: event,
    at: new Date(now).toISOString(),
    alert,
    text: lines.join('\n'),
    link,
  };
}

function headOf(event: News['event'], { severity, title }: Alert): string {
  if (event === 'resolved') return `RESOLVED: ${title}`;
  const again = event === 'reminder' ? 'still ' : '';
  return `${again}${severity}`.toUpperCase() + `: ${title}`;
}

function historyOf(event: News['event'], alert: Alert, now: number): string {
  const { rule, since, firedAt, resolvedAt } = alert;
  if (event !== 'resolved') return `Since ${minuteOf(since)} (rule: ${rule}).`;
  const end = resolvedAt === null ? now : Date.parse(resolvedAt);
  const lasted = aboutSpan(end - Date.parse(firedAt ?? since));
  return `In order again since ${minuteOf(end)}, after ${lasted} (rule: ${rule}).`;
}
