import type { ComponentSettings } from './component-settings.ts';

export interface NumberRange {
  readonly byDefault: number;
  readonly least: number;
  /** @default none */
  readonly most?: number;
}

/** How a text is read as a number; undefined for none. `where` is how an error names it. */
type Read = (where: string, text: string | undefined) => number | undefined;

/**
 * A whole number in a component's metadata. `read` is how Dapr's component reads that item: most are `readGoWhole`.
 *
 * @throws Error that names component, item and value.
 */
export function wholeNumber(
  settings: ComponentSettings,
  name: string,
  byDefault: number,
  read: Read = readWhole,
): number {
  return read(named(settings, name), settings.text(name)) ?? byDefault;
}

/** A whole number that is not less, and not more, than can be. @throws Error that names component, item, range and value. */
export function wholeNumberWithin(
  settings: ComponentSettings,
  name: string,
  range: NumberRange,
  read: Read = readWhole,
): number {
  const value = wholeNumber(settings, name, range.byDefault, read);
  checkRange(named(settings, name), value, range);
  return value;
}

/** `unit` has its space before it: ` ms`. @throws Error that says which value may stand at `where`. */
export function checkRange(where: string, value: number, range: NumberRange, unit = ''): void {
  const { least, most = Number.POSITIVE_INFINITY } = range;
  if (value >= least && value <= most) return;
  const rule = most === Number.POSITIVE_INFINITY ? `at least ${least}` : `from ${least} to ${most}`;
  throw new Error(`${where} must be ${rule}${unit}, not ${value}`);
}

/** In decimal digits. @throws Error for what is no whole number. */
export function readWhole(where: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  throw new Error(`${where} must be a whole number, not "${text}"`);
}

/** As in Go's source: `0x1f`, `0b11`, `0o17`, `1_000`, and `017` is 15. @throws Error for what is no whole number. */
export function readGoWhole(where: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const [, sign, digits = ''] = /^([+-]?)(\w+)$/.exec(text) ?? [];
  if (!GO_WHOLE.test(digits)) throw new Error(`${where} must be a whole number, not "${text}"`);
  const value = Number(digits.replaceAll('_', '').replace(/^0(?=\d)/, '0o'));
  return sign === '-' && value !== 0 ? -value : value;
}

const GO_WHOLE =
  /^(?:0[xX](?:_?[\da-fA-F])+|0[bB](?:_?[01])+|0[oO]?(?:_?[0-7])+|0|[1-9](?:_?\d)*)$/;

/** An item as errors name it. */
export const named = ({ component }: ComponentSettings, name: string): string =>
  `component ${component}: metadata ${name}`;
