import type { FlagValue, ParsedFlags } from './flag.ts';

/** Flags by their names, each asked for as what its row in the table says; undefined where it was not given. */
export interface FlagReader {
  /** `text` and `choice`. */
  text(name: string): string | undefined;
  /** `integer`, `port`, `bytes` and `duration` (in milliseconds). */
  number(name: string): number | undefined;
  boolean(name: string): boolean | undefined;
  /** `texts` and `list`; empty where it was not given. */
  texts(name: string): readonly string[];
}

export function flagReader({ values }: Pick<ParsedFlags, 'values'>): FlagReader {
  const read = <T extends FlagValue>(
    name: string,
    kind: string,
    is: (value: FlagValue) => value is T,
  ): T | undefined => {
    const value = values.get(name);
    if (value === undefined || is(value)) return value;
    throw new Error(`unreachable: --${name} is no ${kind} by its row in the table of flags`);
  };
  return {
    text: (name) => read(name, 'text', (value) => typeof value === 'string'),
    number: (name) => read(name, 'number', (value) => typeof value === 'number'),
    boolean: (name) => read(name, 'boolean', (value) => typeof value === 'boolean'),
    texts: (name) => read(name, 'list', (value) => typeof value === 'object') ?? [],
  };
}
