import { fail, isObject, type Answer } from './answer.js';
import { statusOfType } from './errors.js';

/**
 * The answer that sends a recorded response again: a JSON body, or a stream that was stored with the
 * data of one event a line. An error gets the status that its type has.
 *
 * @throws TypeError for a text that is neither.
 *
 * @example
 * simulator.enqueue(replay(readFileSync('recordings/answer.json', 'utf8')));
 */
export function replay(recording: string): Answer {
  if (typeof recording !== 'string') fail('replay', 'the recording', 'a string', recording);
  const whole = parsed(recording);
  if (whole !== null && whole['type'] !== 'message_start') {
    if (whole['type'] !== 'error') return { body: recording };
    const error = isObject(whole['error']) ? whole['error'] : {};
    return { status: statusOfType(error['type']), body: recording };
  }
  const lines = recording.split('\n').filter((line) => line.trim() !== '');
  const events = lines.map((line) => {
    const data = line.replace(/^data:\s*/, '');
    const event = parsed(data);
    if (typeof event?.['type'] === 'string') return `event: ${event['type']}\ndata: ${data}\n\n`;
    throw new TypeError(
      `[claude-metrics] replay: a recording must be a JSON body, or the data of one event a line; ` +
        `this line is neither: ${JSON.stringify(line.slice(0, 60))}.`,
    );
  });
  if (events.length === 0) {
    throw new TypeError('[claude-metrics] replay: the recording is empty.');
  }
  return { body: events.join('') };
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
