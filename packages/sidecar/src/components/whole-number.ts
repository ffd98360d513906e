import type { ComponentSettings } from './component-settings.ts';

export interface NumberRange {
  readonly byDefault: number;
  readonly least: number;
  /** @default none */
  readonly most?: number;
}

/** A whole number in a component's metadata. @throws Error that names component, item and value. */
export function wholeNumber(settings: ComponentSettings, name: string, byDefault: number): number {
  return readWhole(named(settings, name), settings.text(name)) ?? byDefault;
}

/** A whole number that is not less, and not more, than can be. @throws Error that names component, item, range and value. */
export function wholeNumberWithin(
  settings: ComponentSettings,
  name: string,
  range: NumberRange,
): number {
  const value = wholeNumber(settings, name, range.byDefault);
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

/** `where` is how an error names it. @throws Error for what is no whole number. */
export function readWhole(where: string, text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (/^[+-]?\d+$/.test(text)) return Number(text);
  throw new Error(`${where} must be a whole number, not "${text}"`);
}

/** An item as errors name it. */
export const named = ({ component }: ComponentSettings, name: string): string =>
  `component ${component}: metadata ${name}`;
