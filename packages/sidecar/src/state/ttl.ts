import type { Metadata } from './state-requests.ts';

/** How a kind of store reads `ttlInSeconds`, and what it says of what it cannot read: each has its own words in Dapr. */
export type TtlReader = (text: string) => number;

const INTEGER = /^[+-]?\d+$/;
const INT32_MAX = 2 ** 31 - 1;

export const plainTtl: TtlReader = (text) => {
  if (INTEGER.test(text)) return Number(text);
  throw new Error(`strconv.Atoi: ${unparsed(text)}`);
};

/** Of the SQL stores: -1 is for ever. */
export const sqlTtl: TtlReader = (text) => {
  const wrong = "error parsing TTL: incorrect value for metadata 'ttlInSeconds': ";
  if (!INTEGER.test(text)) throw new Error(`${wrong}strconv.ParseInt: ${unparsed(text)}`);
  const seconds = Number(text);
  if (seconds < -1 || seconds > INT32_MAX) throw new Error(`${wrong}must be -1 or greater`);
  return seconds;
};

export const redisTtl: TtlReader = (text) => {
  if (INTEGER.test(text)) return Number(text);
  throw new Error(`failed to parse ttl from metadata: strconv.ParseInt: ${unparsed(text)}`);
};

/** Undefined where nothing is said. */
export function ttlOf(metadata: Metadata, read: TtlReader): number | undefined {
  const name = Object.keys(metadata).find((one) => one.toLowerCase() === 'ttlinseconds');
  const text = name === undefined ? '' : metadata[name]!;
  return text === '' ? undefined : read(text);
}

const unparsed = (text: string): string => `parsing ${JSON.stringify(text)}: invalid syntax`;
