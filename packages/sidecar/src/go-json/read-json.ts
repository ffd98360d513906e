import { findFault, strayAfter } from './find-fault.ts';
import { GoJsonError } from './go-json-error.ts';

/**
 * The first value of a text; what follows it is overlooked, as by Go's `json.Decoder`, which is
 * what reads Dapr's bodies. `parse` reads what is JSON: `parseExactly` keeps numbers as they are.
 *
 * @throws GoJsonError
 */
export function firstJson(text: string, parse: (text: string) => unknown = JSON.parse): unknown {
  try {
    return parse(text);
  } catch (error) {
    const found = findFault(text);
    if (found.kind === 'value') return parse(text.slice(0, found.end));
    if (found.kind === 'fault') throw new GoJsonError(found.message, { cause: error });
    throw new GoJsonError(/\S/.test(text) ? 'unexpected EOF' : 'EOF', { cause: error });
  }
}

/**
 * The one value that a text is, as Go's `json.Unmarshal` reads it.
 *
 * @throws GoJsonError
 */
export function wholeJson(text: string, parse: (text: string) => unknown = JSON.parse): unknown {
  try {
    return parse(text);
  } catch (error) {
    const found = findFault(text);
    const message =
      found.kind === 'fault'
        ? found.message
        : ((found.kind === 'value' ? strayAfter(text, found.end) : undefined) ??
          'unexpected end of JSON input');
    throw new GoJsonError(message, { cause: error });
  }
}
