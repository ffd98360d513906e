import type { Entry, Reading } from './entries.ts';
import { readObject } from './map-reader.ts';
import { GRPC_CODES, HTTP_CODES, parseStatusCodes, statusMatcher } from './status-codes.ts';
import type { Field } from './vocabulary.ts';

type Name = 'httpStatusCodes' | 'gRPCStatusCodes';

/** A `matching`: which statuses it allows, all where it is not there; `undefined` where it cannot be read. */
export function readMatching(
  reading: Reading,
  entry: Entry | undefined,
  path: string,
  fields: Readonly<Record<Name, Field>>,
): ((code: number) => boolean) | undefined {
  const matching = readObject(reading, entry, `${path}.matching`, fields);
  const codes = (name: Name, space: typeof HTTP_CODES) => {
    const text = matching.text(name)?.value ?? '';
    const parsed = parseStatusCodes(text, space);
    if (!('fault' in parsed)) return parsed.ranges;
    const tight = text.replaceAll(/\s/g, '');
    const meant = 'fault' in parseStatusCodes(tight, space) ? undefined : tight;
    matching.fault(name, 'bad-status-codes', `cannot be read: ${parsed.fault}`, meant);
    matching.broken = true;
    return undefined;
  };
  const http = codes('httpStatusCodes', HTTP_CODES);
  const grpc = codes('gRPCStatusCodes', GRPC_CODES);
  return matching.broken ? undefined : statusMatcher(http, grpc);
}
