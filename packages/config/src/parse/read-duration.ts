import { parseDuration, suggestDuration } from './duration.ts';
import { describe, type Entry, type Reading, remarkOldScalar, spelling } from './entries.ts';

/** Go's timers, and ours, are asked for whole milliseconds up to this. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A duration in whole milliseconds; what no timer can do is brought to what one can, with a word. */
export function readDuration(reading: Reading, entry: Entry, path: string): number | undefined {
  const { report } = reading;
  const text = entry.value === null ? '' : spelling(entry.value);
  if (text === undefined) {
    const message = `${path} is ${describe(entry.value)}, and must be a duration such as 5s`;
    report.add(entry.offset, 'wrong-type', message);
    return undefined;
  }
  if (entry.value !== null) remarkOldScalar(reading, entry.value, entry.offset);
  const parsed = parseDuration(text);
  if ('fault' in parsed) {
    const meant = suggestDuration(text);
    const example = meant === undefined ? '; write 500ms, 5s or 1m30s' : '';
    const message = `${path} is "${text}", which ${parsed.fault}${example}`;
    report.add(entry.offset, 'bad-duration', message, meant);
    return undefined;
  }
  const { ms } = parsed;
  if (ms < 0) {
    report.add(entry.offset, 'negative-duration', `${path} is ${text}; it counts as 0`);
    return 0;
  }
  // Dapr takes it so, without a word: a `timeout: 5` of five seconds is over at once.
  if (ms > 0 && /^\+?[0-9]+$/.test(text)) {
    const message = `${path} is ${text} without a unit, so it is ${ms} ms; write ${ms}ms if that is meant`;
    report.add(entry.offset, 'bare-duration', message);
  }
  if (ms > LONGEST_TIMER_MS) {
    const message = `${path} is ${text}; the longest a timer waits is 24.8 days, so it waits that`;
    report.add(entry.offset, 'adjusted', message);
    return LONGEST_TIMER_MS;
  }
  const whole = Math.ceil(ms);
  if (whole !== ms) {
    const message = `${path} is ${text}; timers count whole milliseconds, so it is ${whole} ms`;
    report.add(entry.offset, 'adjusted', message);
  }
  return whole;
}
