import { checkOptions, rule, show } from '../src/options.js';

const rules = {
  path: rule.either(rule.text, rule.exactly(false)),
  size: rule.integer(1, 10),
  sinks: rule.listOf(rule.methods('record')),
};

describe('checkOptions', () => {
  it('takes what is right, and undefined for the default', () => {
    const sinks = [{ record() {} }];
    expect(() => checkOptions('x', { path: false, size: 10, sinks }, rules)).not.toThrow();
    expect(() => checkOptions('x', { path: undefined }, rules)).not.toThrow();
    expect(() => checkOptions('x', undefined, rules)).not.toThrow();
  });

  const wrong: [string, unknown, string][] = [
    ['no object', 7, '[claude-metrics] x: options must be an object, got 7.'],
    [
      'an unknown name',
      { pth: '/a' },
      '[claude-metrics] x: there is no option "pth". Options are: path, size, sinks.',
    ],
    [
      'a wrong type',
      { path: 42 },
      '[claude-metrics] x: options.path must be a string that is not empty, or false, got 42.',
    ],
    ['a fraction', { size: 1.5 }, 'options.size must be an integer from 1 to 10, got 1.5.'],
    [
      'a sink without its method',
      { sinks: [{}] },
      'options.sinks must be an array, each item an object with record(), got an array of 1.',
    ],
    ['a name from the prototype', { constructor: 1 }, 'there is no option "constructor"'],
  ];
  it.each(wrong)('tells of %s which it is and what is allowed', (_, options, message) => {
    expect(() => checkOptions('x', options, rules)).toThrow(message);
  });
});

describe('show', () => {
  it('is short, and survives what cannot be shown', () => {
    expect(show('y'.repeat(1000))).toHaveLength(66);
    expect(show(Object.create(null))).toBe('an object');
    expect(show(Symbol('s'))).toBe('Symbol(s)');
  });
});
