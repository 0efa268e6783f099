/** Figures in the lines that people get. */
import { aboutSpan, inUnit, minuteOf, oneLine, spanOf } from '../../src/alerts/wording.js';

it.each([
  [0.072, 'ratio', '7.2 %'],
  [0.05, 'ratio', '5 %'],
  [0.0004, 'ratio', '0.04 %'],
  [12.5, 'ratio', '1,250 %'],
  [0, 'ratio', '0 %'],
  [8_000, 'ms', '8 s'],
  [850.4, 'ms', '850 ms'],
  [1.25, 'ms', '1.3 ms'],
  [150_000, 'ms', '2.5 min'],
  [5, 'usd', '$5'],
  [6.2, 'usd', '$6.20'],
  [1_234_567.891, 'usd', '$1,234,567.89'],
  [0.25, 'usd', '$0.25'],
  [0.000_004_2, 'usd', '$0.0000042'],
  [0, 'usd', '$0'],
  [-3, 'usd', '-$3'],
  [1, 'calls', '1 call'],
  [12_000, 'calls', '12,000 calls'],
  [-1, 'days', '-1 days'],
  [0.12345, null, '0.123'],
  [1_000, null, '1000'],
] as const)('%d as %s is "%s"', (value, unit, text) => {
  expect(inUnit(value, unit)).toBe(text);
});

it.each([
  [300_000, '5 min'],
  [3_600_000, '1 h'],
  [86_400_000, '24 h'],
  [7 * 86_400_000, '7 days'],
  [90_000, '90 s'],
])('a window of %d ms is "%s"', (ms, text) => {
  expect(spanOf(ms)).toBe(text);
});

it.each([
  [-5, 'less than a minute'],
  [20_000, 'less than a minute'],
  [720_000, '12 min'],
  [3_600_000, '1 h'],
  [11_100_000, '3 h 5 min'],
  [52 * 3_600_000, '2 days 4 h'],
])('%d ms last about "%s"', (ms, text) => {
  expect(aboutSpan(ms)).toBe(text);
});

it('a time is a minute in UTC, and one that is none says so', () => {
  expect(minuteOf(Date.parse('2026-11-24T14:03:59Z'))).toBe('2026-11-24 14:03 UTC');
  expect(minuteOf(NaN)).toBe('an unknown time');
});

it('a line has nothing invisible in it, no end of line, and no half of a character', () => {
  expect(oneLine(' a\r\nb\u2028c\u202ed\u0000e\ud800 ')).toBe('a b c d e');
  expect(oneLine('x'.repeat(400))).toBe(`${'x'.repeat(299)}…`);
  expect(oneLine('😀'.repeat(10), 4)).toBe('😀…');
});
