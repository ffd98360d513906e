import { GoJsonError } from '../go-json/go-json-error.ts';
import { goAny, goMap, goString, goStruct, readInto } from '../go-json/go-type.ts';
import { firstJson } from '../go-json/read-json.ts';
import { writeJson } from '../go-json/write-json.ts';
import { ApiError } from '../server/api-error.ts';

/** A call of an output binding as its JSON says it. */
export interface BindingBody {
  readonly operation: string;
  /** As JSON; undefined where there is none. */
  readonly data: Buffer | undefined;
  readonly metadata: Readonly<Record<string, string>>;
}

const BODY = goStruct('http.OutputBindingRequest', {
  operation: goString,
  data: goAny,
  metadata: goMap(goString),
});

/** @throws ApiError */
export function bindingBody(body: Buffer): BindingBody {
  try {
    const given = firstJson(body.toString('utf8'));
    const { data, metadata, operation } = readInto(BODY, given);
    const said = typeof given === 'object' && given !== null && hasData(given);
    return { operation, metadata, data: said ? Buffer.from(writeJson(data)) : undefined };
  } catch (error) {
    if (!(error instanceof GoJsonError)) throw error;
    const why = `failed deserializing HTTP body: ${error.message}`;
    throw new ApiError(400, 'ERR_MALFORMED_REQUEST', why, { cause: error });
  }
}

/** Null is data as well. */
const hasData = (given: object): boolean =>
  Object.keys(given).some((name) => name.toLowerCase() === 'data');
