import type { Metadata } from './state-requests.ts';

/** How a kind of store reads `ttlInSeconds`, and what it says of what it cannot read: each has its own words in Dapr. */
export type TtlReader = (text: string) => number;

const INT32_MAX = 2 ** 31 - 1;
const INT64 = { least: -(2n ** 63n), most: 2n ** 63n - 1n };

export const plainTtl: TtlReader = (text) => readInteger(text, 'strconv.Atoi: ');

/** Of the SQL stores: -1 is for ever. */
export const sqlTtl: TtlReader = (text) => {
  const wrong = "error parsing TTL: incorrect value for metadata 'ttlInSeconds': ";
  const seconds = readInteger(text, `${wrong}strconv.ParseInt: `);
  if (seconds < -1 || seconds > INT32_MAX) throw new Error(`${wrong}must be -1 or greater`);
  return seconds;
};

export const redisTtl: TtlReader = (text) =>
  readInteger(text, 'failed to parse ttl from metadata: strconv.ParseInt: ');

/** Undefined where nothing is said. In these letter cases only, as in Dapr. */
export function ttlOf({ ttlInSeconds: text = '' }: Metadata, read: TtlReader): number | undefined {
  return text === '' ? undefined : read(text);
}

/** What Go says of a text that is no number of 64 bits; undefined where it is one. */
export function integerFault(text: string): string | undefined {
  const parsing = `parsing ${JSON.stringify(text)}: `;
  if (!/^[+-]?\d+$/.test(text)) return `${parsing}invalid syntax`;
  const value = BigInt(text.replace(/^\+/, ''));
  return value < INT64.least || value > INT64.most ? `${parsing}value out of range` : undefined;
}

function readInteger(text: string, before: string): number {
  const fault = integerFault(text);
  if (fault !== undefined) throw new Error(before + fault);
  return Number(text);
}
