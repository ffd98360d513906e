/** What one field of a schedule may hold. */
export interface CronBounds {
  readonly least: number;
  readonly most: number;
  /** Three letters each, the first for `least`. */
  readonly names?: readonly string[];
}

/** Seconds, minutes, hours, days of the month, months, days of the week: Sunday is 0, and 7 is none. */
export const CRON_FIELDS: readonly CronBounds[] = [
  { least: 0, most: 59 },
  { least: 0, most: 59 },
  { least: 0, most: 23 },
  { least: 1, most: 31 },
  {
    least: 1,
    most: 12,
    names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { least: 0, most: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

/**
 * A field as Dapr's schedules have it, with every number of it written out: `5/20` of minutes is
 * `5,25,45`. `*` where it is open to all, which is more than a list of all: a day of the month that
 * is open leaves the choice to that of the week. Empty where it has no number at all.
 *
 * @throws Error in Dapr's words.
 */
export function cronField(text: string, bounds: CronBounds): string {
  const numbers = new Set<number>();
  let open = false;
  for (const part of text.split(',').filter((one) => one !== '')) {
    const { first, last, step, star } = rangeOf(part, bounds);
    open ||= star;
    for (let number = first; number <= last; number += step) numbers.add(number);
  }
  return open ? '*' : [...numbers].sort((a, b) => a - b).join(',');
}

/** `NUMBER`, `NUMBER-NUMBER` or a star, each with `/STEP` behind it where not every one counts. */
function rangeOf(part: string, bounds: CronBounds) {
  const { least, most } = bounds;
  const [range = '', stepText, ...moreSteps] = part.split('/');
  const [low = '', high, ...moreBounds] = range.split('-');
  const every = low === '*' || low === '?';
  if (!every && moreBounds.length > 0) throw new Error(`too many hyphens: ${part}`);
  const first = every ? least : numberOf(low, bounds);
  const upTo = high === undefined || every ? undefined : numberOf(high, bounds);
  if (moreSteps.length > 0) throw new Error(`too many slashes: ${part}`);
  const step = stepText === undefined ? 1 : numberOf(stepText, NUMBERS);
  // Of one number with a step behind it the end is that of the field.
  const alone = stepText !== undefined && high === undefined ? most : first;
  const last = every ? most : (upTo ?? alone);
  if (first < least) {
    throw new Error(`beginning of range (${first}) below minimum (${least}): ${part}`);
  }
  if (last > most) throw new Error(`end of range (${last}) above maximum (${most}): ${part}`);
  if (first > last) {
    throw new Error(`beginning of range (${first}) beyond end of range (${last}): ${part}`);
  }
  if (step === 0) throw new Error(`step of range should be a positive number: ${part}`);
  return { first, last, step, star: every && step === 1 };
}

const NUMBERS: CronBounds = { least: 0, most: Number.POSITIVE_INFINITY };

function numberOf(text: string, { least, names = [] }: CronBounds): number {
  const named = names.indexOf(text.toLowerCase());
  if (named >= 0) return least + named;
  if (/^\+?\d+$/.test(text)) return Number(text);
  throw new Error(
    `failed to parse int from ${text}: strconv.Atoi: parsing "${text}": invalid syntax`,
  );
}
