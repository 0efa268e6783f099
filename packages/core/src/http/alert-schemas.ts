import { SEVERITIES } from '../alert.js';
import {
  count,
  iso,
  list,
  nullable,
  number,
  object,
  oneOf,
  ref,
  text,
  type JsonSchema,
} from './shape.js';

/** The JSON schemas of alerts. */
export const ALERT_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  Alert: object({
    id: { ...text, description: 'of the rule and its group: the same whenever it fires again' },
    rule: text,
    severity: oneOf(SEVERITIES),
    group: nullable(object({ by: oneOf(['model', 'feature', 'user', 'budget']), key: text })),
    state: oneOf(['pending', 'firing', 'resolved']),
    title: text,
    value: nullable(number),
    limit: nullable(number),
    unit: nullable(oneOf(['ratio', 'ms', 'usd', 'calls', 'days'])),
    since: { ...iso, description: 'since when the condition has held' },
    firedAt: nullable(iso),
    resolvedAt: nullable(iso),
    silencedUntil: nullable(iso),
  }),
  Channel: object({
    name: text,
    sent: count,
    failed: { ...count, description: 'given up after the last retry' },
    dropped: { ...count, description: 'left out by the bound of the queue' },
    queued: count,
    lastError: nullable(text),
  }),
  AlertsPage: object({
    at: iso,
    firing: list(ref('Alert')),
    pending: list(ref('Alert')),
    silenced: { ...list(ref('Alert')), description: 'firing or not' },
    recent: { ...list(ref('Alert')), description: 'resolved, the last first, at most 100' },
    channels: list(ref('Channel')),
    failing: {
      ...list(object({ rule: text, message: text })),
      description: 'rules that could not be evaluated',
    },
  }),
};
