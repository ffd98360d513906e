import { unescaped } from '../flow/unescaped.ts';
import { cleanSegments, forbidden, type MethodPath } from './method-path.ts';

/** A method that a client of the gRPC API has named. */
export interface RpcMethod {
  /** Where an application over HTTP has it. */
  readonly path: string;
  /** What an application over gRPC is told; undefined where that is the path without its escapes. */
  readonly name: string | undefined;
}

/**
 * Cleans the name of a method of the gRPC API. In a name an escape is but text,
 * as in Dapr: `a%2Fb` has no slash, for an application over gRPC. One over HTTP
 * reads the same characters as a path, so there dots behind escapes are
 * resolved all the same (daprd passes them on), and a `%` that begins no escape
 * becomes one (daprd refuses it).
 */
export function cleanRpcMethod(raw: string): RpcMethod | Extract<MethodPath, { refused: string }> {
  const why = forbidden(raw);
  if (why !== undefined) return { refused: why, status: 500 };
  const name = cleaned(raw);
  const written = name
    .replace(/%(?![0-9A-Fa-f]{2})/g, '%25')
    .replace(/[^ -~]+/g, encodeURIComponent);
  const found = cleanSegments(written, () => undefined);
  if ('refused' in found) return found;
  return { path: found.path, name: unescaped(found.path) === name ? undefined : name };
}

/** As Go's `path.Clean` has it, less what would lead up. */
function cleaned(raw: string): string {
  const segments: string[] = [];
  for (const segment of raw.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '.' && segment !== '') segments.push(segment);
  }
  return `${raw.startsWith('/') ? '/' : ''}${segments.join('/')}`;
}
