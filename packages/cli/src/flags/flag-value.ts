import { type Flag, FlagError } from './flag.ts';

/** One value of a flag as its type. */
export function readFlagValue(
  flag: Flag,
  text: string,
): string | number | boolean | readonly string[] {
  const wrong = (rule: string): never => {
    throw new FlagError(`--${flag.name} must be ${rule}, not "${text}".`);
  };
  switch (flag.type) {
    case 'text':
    case 'texts':
      return text;
    case 'list':
      return text.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
    case 'boolean':
      return booleanOf(text) ?? wrong('true or false');
    case 'integer':
      return integerOf(text) ?? wrong('a whole number');
    case 'port': {
      // Dapr writes "any" as an empty text, 0 or -1.
      const port = text === '' ? 0 : integerOf(text);
      return port !== undefined && port >= -1 && port <= 65_535
        ? port
        : wrong('a port from 1 to 65535, or 0 for any free one');
    }
    case 'bytes':
      return bytesOf(text) ?? wrong('a size such as 4Mi, 500k or 4194304');
    case 'duration':
      return durationOf(text) ?? wrong('a duration such as 5s, 1m30s or 200ms');
    case 'choice': {
      const choice = text.toLowerCase();
      return flag.choices!.includes(choice) ? choice : wrong(`one of ${flag.choices!.join(', ')}`);
    }
  }
}

/** Go's spellings. */
function booleanOf(text: string): boolean | undefined {
  if (['true', 'True', 'TRUE', 't', 'T', '1'].includes(text)) return true;
  if (['false', 'False', 'FALSE', 'f', 'F', '0'].includes(text)) return false;
  return undefined;
}

function integerOf(text: string): number | undefined {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** A Kubernetes quantity in bytes, rounded up; -1 and other negatives stay what they are ("no limit"). */
export function bytesOf(text: string): number | undefined {
  const match = /^([+-]?\d+(?:\.\d*)?(?:e[+-]?\d+)?)(k|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(text);
  if (match === null) return undefined;
  const bytes = Math.ceil(Number(match[1]) * UNITS[match[2] ?? '']!);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

const DURATION_MS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** A Go duration in milliseconds. */
function durationOf(text: string): number | undefined {
  if (text === '0') return 0;
  const parts = text.match(/\d+(?:\.\d+)?(?:ms|us|µs|ns|h|m|s)/g);
  if (parts === null || parts.join('') !== text) return undefined;
  return parts.reduce((sum, part) => {
    const [, number, unit] = /^([\d.]+)(.+)$/.exec(part)!;
    return sum + Number(number) * DURATION_MS[unit!]!;
  }, 0);
}
