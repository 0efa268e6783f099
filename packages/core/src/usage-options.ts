import { checkOptions, type OptionRule, type OptionRules } from './options.js';
import { isTimeZone } from './period.js';
import { FEEDBACK_ACTIONS, type FeedbackAction } from './record.js';

/** The option `usage` of a monitor, in words. */

const actions: OptionRule = {
  allowed: `an array of ${FEEDBACK_ACTIONS.join(', ')}, each once`,
  ok: (value) =>
    Array.isArray(value) &&
    value.length > 0 &&
    new Set(value).size === value.length &&
    value.every((each) => FEEDBACK_ACTIONS.includes(each as FeedbackAction)),
};

const rules: OptionRules = {
  timeZone: { allowed: `an IANA time zone, such as 'Europe/Paris' or 'UTC'`, ok: isTimeZone },
  accepted: actions,
  rejected: actions,
  acceptedForCost: actions,
};

export const usageRule: OptionRule = {
  allowed: 'an object of usage options',
  ok(value) {
    checkOptions('createMonitor.usage', value, rules);
    const { accepted = ['accept'], rejected = ['reject'] } = value as Lists;
    const both = accepted.filter((action) => rejected.includes(action));
    if (both.length === 0) return true;
    throw new TypeError(
      `[claude-metrics] createMonitor.usage: ${both.join(', ')} cannot be accepted and rejected at ` +
        'once. Leave it out of one of the two lists.',
    );
  },
};

interface Lists {
  readonly accepted?: readonly string[];
  readonly rejected?: readonly string[];
}
