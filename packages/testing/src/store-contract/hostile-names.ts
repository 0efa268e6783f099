/**
 * Names that somebody has tried something with.
 *
 * - **hostile**: a name that means something to a language, a format or a store. To us it is a name.
 */
const CONTROLS = Array.from({ length: 0x21 }, (_, code) => String.fromCharCode(code)).join('');

export const HOSTILE_NAMES: readonly string[] = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  '\0',
  'nul\0inside',
  `controls ${CONTROLS}\x7f\x80\x9f`,
  'two\nlines\r\nof\u2028text\u2029',
  'x'.repeat(128),
  '\u{1f600}'.repeat(64),
  '\u202eright-to-left\u202c שלום \u200f',
  'lone \ud800 high',
  '\udfff',
  '\ud83d',
  '(other)',
  '\\(other)',
  '\\\\(other)',
  '(unattributed)',
  '\\(unattributed)',
  '\u{1f468}\u200d\u{1f469}\u200d\u{1f467}',
  '"double"',
  "'single'",
  '`back`',
  "'; DROP TABLE cells; --",
  '100%',
  '%s %d %n',
  '_',
  '*',
  'a:b',
  'a|b',
  '{a}',
  '[a]',
  '$1',
  '$&',
  '?',
  '\\',
  '\\u0000',
  '\x1a0000',
  '{"json":[1]}',
  'null',
  'undefined',
  'NaN',
  '0',
  '-1',
  '1e3',
  'true',
  '\ufeffbom',
  '\ufffd',
  '\uffff',
];

/** Names that are equal to whoever folds case, trims, normalises or cuts. */
export const LOOKALIKES: readonly string[] = [
  '',
  ' ',
  '  ',
  'ada',
  'Ada',
  'ADA',
  'ada ',
  ' ada',
  'ada\t',
  'ada\0',
  '\u00e9',
  'e\u0301',
  'e',
  '\u212b',
  '\u00c5',
  'A\u030a',
  '\ufb01',
  'fi',
  '\u0130',
  'i\u0307',
  '\u00df',
  'ss',
  '1',
  '01',
  '1.0',
  `${'y'.repeat(127)}1`,
  `${'y'.repeat(127)}2`,
];

/** Pairs that are equal to whoever joins the two names of a key. */
export const PAIRS: readonly (readonly [string, string])[] = [
  ['a', 'b'],
  ['ab', ''],
  ['', 'ab'],
  ...[':', '|', ',', '\0', '\x1f', '/', '\n', '\t', ' ', '"', '","', "','", '\\'].flatMap(
    (joint) =>
      [
        [`a${joint}b`, 'c'],
        ['a', `b${joint}c`],
      ] as const,
  ),
];
