import fc from 'fast-check';
import { localTimeIn } from '../src/local-time.js';

const ZONES = [
  ...['UTC', 'Europe/Paris', 'America/New_York', 'America/St_Johns', 'Asia/Kathmandu'],
  ...['Australia/Lord_Howe', 'Pacific/Chatham', 'Pacific/Apia', 'Africa/Casablanca'],
];

describe.each(ZONES)('local time in %s', (timeZone) => {
  const shown = new Intl.DateTimeFormat('sv-SE', {
    timeZone,
    dateStyle: 'short',
    timeStyle: 'medium',
  });

  it('is what its clocks show, whenever they are moved', () => {
    const local = localTimeIn(timeZone);
    const times = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2037, 0) });
    fc.assert(
      fc.property(times, (at) => {
        const text = new Date(local(at)).toISOString();
        expect(text.slice(0, 19).replace('T', ' ')).toBe(shown.format(at));
        expect(((local(at) % 1_000) + 1_000) % 1_000).toBe(at % 1_000);
      }),
      { seed: 20_261_125, numRuns: 300 },
    );
  });

  it('is so in every hour of a year', () => {
    const local = localTimeIn(timeZone);
    const wrong: string[] = [];
    for (let at = Date.UTC(2026, 0); at < Date.UTC(2027, 0); at += 3_600_000) {
      const text = new Date(local(at)).toISOString().slice(0, 19).replace('T', ' ');
      if (text !== shown.format(at)) wrong.push(`${new Date(at).toISOString()}: ${text}`);
    }
    expect(wrong).toEqual([]);
  });
});
