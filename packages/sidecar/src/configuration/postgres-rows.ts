import type { ConfigurationItem, ConfigurationItems } from './configuration-store.ts';

/** What a row of the table is to an application, as Dapr reads it; undefined where it has no key. */
export function itemOf(
  row: Readonly<Record<string, unknown>>,
): readonly [key: string, item: ConfigurationItem] | undefined {
  const fields = new Map(Object.entries(row).map(([name, value]) => [name.toLowerCase(), value]));
  const key = fields.get('key');
  if (typeof key !== 'string') return undefined;
  const value = textOf(fields.get('value'));
  const version = textOf(fields.get('version'));
  const metadata = metadataOf(fields.get('metadata'));
  return [
    key,
    {
      ...(value === '' ? {} : { value }),
      ...(version === '' ? {} : { version }),
      ...(metadata === undefined ? {} : { metadata }),
    },
  ];
}

/** One item for each key: where there are several, that of the highest version, if versions are numbers. */
export function itemsOf(rows: readonly Readonly<Record<string, unknown>>[]): ConfigurationItems {
  const latest = new Map<string, ConfigurationItem>();
  for (const row of rows) {
    const found = itemOf(row);
    if (found === undefined) continue;
    const [key, item] = found;
    const known = latest.get(key);
    if (known === undefined || numberOf(item) > numberOf(known)) latest.set(key, item);
  }
  return Object.fromEntries([...latest].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What a trigger says of a row: `{"data": ROW}`; undefined where it is something else. */
export function itemToldOf(
  payload: string,
): readonly [key: string, item: ConfigurationItem] | undefined {
  try {
    const { data } = JSON.parse(payload) as { readonly data?: unknown };
    return isRecord(data) ? itemOf(data) : undefined;
  } catch {
    return undefined;
  }
}

function numberOf({ version = '' }: ConfigurationItem): number {
  return /^[+-]?\d+$/.test(version) ? Number(version) : -1;
}

const textOf = (value: unknown): string =>
  value === null || value === undefined ? '' : String(value);

function metadataOf(value: unknown): Readonly<Record<string, string>> | undefined {
  if (!isRecord(value) || Object.keys(value).length === 0) return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, textOf(one)]));
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
