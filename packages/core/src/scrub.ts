/**
 * Makes a message of somebody else's safe to log: an API's error text can quote the prompt, and a
 * network error can quote a key.
 *
 * Recognising what is secret cannot be complete, so this recognises what is not: only words of a
 * fixed vocabulary (the words of the API's own messages), its field names, model ids and short
 * numbers pass. From the first other word on, everything is cut. So whatever a message quotes, no
 * name, key, address or sentence of it can come out at this end. Docs: `docs/errors.md`.
 */
const WORDS = new Set(
  `a about above access account active additional after again all allowed already also an and another any api
  application are array as ask assistant at attempt authenticate authentication authorization available average
  backend bad balance base64 batch batches be because been before being below beta between billing blocked
  body boolean both budget busy but by bytes cache cached cancelled cannot capacity certificate change character
  characters check claude close closed code completion compaction concurrent configuration connect connection
  console contact contain contained contains content context control conversation corrupt could count
  create created credential credentials credit current currently daily data date decoding deadline default deleted
  deprecated details did different disabled disconnected do document documents does down due duplicate during each
  effort either empty enable enabled encoding encountered end ended endpoint entry enum error errors event events
  exactly exceed exceeded exceeding exceeds exhausted exist exists expected expired extra failed failure fast fetch
  field fields file files final first following for forbidden format found from full function gateway get
  given greater had has have header headers high higher host hour hours id identifier if image images in inactive
  increase incomplete incorrect inference input inputs inside instead integer interleaved internal interrupted into invalid is it
  item items its json keepalive key keys large larger last later least left length less level limit limited limits
  line list load long longer made many match matches max maximum may media message messages metadata method
  middleware min minimum minute minutes missing mode model models month monthly more most multiple must name named need needs
  network new next no none not null number object of off on once one only open operation or organization
  organization's other out output over overloaded own page parameter parameters parse parsed partial password pattern
  pdf per permission permissions permitted per-minute plan please point position prefill present previous priority problem processing produce produced
  producing prompt properties property protocol provide provided quota ramp range rate reach reached read
  reason received redacted reduce refer refused region regain reject rejected reload removed request requested requests
  require required requires reset resource resources response result results retry returned revoked role
  running same schema scope second seconds see send sending sent server service session set should signature single size slow small socket
  source specified spend standard start started state status step stop stopped stream streaming string subscription
  such supplied support supported system take tag team temperature temporarily temporary text than that the their them then there these
  they thinking this those thread tier time timed timeout times title to token tokens too tool tools top total traffic
  trailing true false truncated try two type unable unauthorized unavailable under unexpected unique unknown unprocessable unsupported until up
  upgrade url us usage usages use used user user's users using valid value values version via violation was way web week weekly went
  were when where whether which while will window with within without words workspace workspace's would write wrong yet you
  your zero
  adaptive advisor base blocks block choice citations container converse delta disabled effort ephemeral fallback fallbacks geo
  i k p m h s id index iterations mcp n parallel params purchase go sonnet opus haiku fable mythos preview latest search
  sequence sequences servers speed ttl utc tokens_limit typed x anthropic aborted abort econnrefused econnreset
  low filtering policy payment plans contract increasing quickly equal roles ids decrease custom immediately corresponding got
  fetching hang hung other side terminated unreachable dns address lookup tls ssl certificate self signed timedout reused`.split(
    /\s+/,
  ),
);

const OPERATORS = new Set(['>', '<', '>=', '<=', '=', '==', '!=', '+', '-', '/', '|', '&', '*']);
const LEADING = new Set('([{<"\'`“‘'.split(''));
const TRAILING = new Set('()]}>"\'`”’.,;:!?%'.split(''));
const NUMBER = /^(?:\d{1,8}|\d{1,3}(?:,\d{3}){1,2})(?:\.\d{1,4})?$/;
const DATE = /^(?:\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2})?Z?)?|\d{2}:\d{2}(?::\d{2})?)$/;

const MAX_READ = 2_000;
const MAX_LENGTH = 300;
const MAX_WORD = 80;
const MAX_DIGITS = 10;
const CUT = '…';

const NO_WORDS: ReadonlySet<string> = new Set();

/**
 * The message, up to the first word that is none of ours: one line of at most 300 characters.
 *
 * @param more Words that pass as well.
 *
 * @example
 * scrub('prompt is too long: 210000 tokens > 200000 maximum'); // the same
 * scrub('messages.0.content: my card is 4111…'); // 'messages.0.content: …'
 */
export function scrub(text: string, more: ReadonlySet<string> = NO_WORDS): string {
  let safe = '';
  let afterNumber = false;
  for (const word of text.slice(0, MAX_READ).split(/\s+/)) {
    if (word === '') continue;
    const core = coreOf(word);
    const isNumber = NUMBER.test(core);
    // Two numbers in a row are no figure of the API's; they are somebody's number.
    const known = isNumber ? !afterNumber : isKnown(word, core) || more.has(core.toLowerCase());
    const longer = safe === '' ? word : `${safe} ${word}`;
    if (!known || longer.length > MAX_LENGTH - 2) return safe === '' ? CUT : `${safe} ${CUT}`;
    safe = longer;
    afterNumber = isNumber;
  }
  return text.length > MAX_READ ? `${safe} ${CUT}`.trim() : safe;
}

/** The word without the punctuation around it. */
function coreOf(word: string): string {
  if (word.length > MAX_WORD) return word;
  let start = 0;
  let end = word.length;
  while (start < end && LEADING.has(word.charAt(start))) start += 1;
  while (end > start && TRAILING.has(word.charAt(end - 1))) end -= 1;
  return word.slice(start, end);
}

function isKnown(word: string, core: string): boolean {
  if (core === '') return OPERATORS.has(word);
  if (word.length > MAX_WORD) return false;
  const lower = core.toLowerCase().replace('’', "'");
  if (WORDS.has(lower) || OPERATORS.has(core) || DATE.test(core)) return true;
  // Compounds of ours: `max_tokens`, `messages.0.content`, `per-minute`, `claude-haiku-4-5`.
  const parts = lower.split(/[-_./]/);
  if (parts.length === 1) return false;
  let words = 0;
  let digits = 0;
  for (const part of parts) {
    if (WORDS.has(part)) words += 1;
    else if (/^\d+$/.test(part)) digits += part.length;
    else return false;
  }
  return words > 0 && digits <= MAX_DIGITS;
}
