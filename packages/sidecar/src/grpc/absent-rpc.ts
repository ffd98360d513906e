import { Code } from '@connectrpc/connect';

/** Of Dapr's API, and not in this version; the first that matches a method's name counts. */
const ABSENT: readonly (readonly [RegExp, string])[] = [
  [/Actor|Reminder|Timer/, 'actors'],
  [/Workflow/, 'workflow'],
  [/Job/, 'jobs'],
  [/Converse/, 'conversation'],
  [/Encrypt|Decrypt|Subtle/, 'cryptography'],
];

/** What a call of an API that is not here is told; undefined for any other. */
export function absentRpc(
  path: string,
): { readonly code: Code; readonly message: string } | undefined {
  const method = /^\/dapr\.proto\.runtime\.v1\.Dapr\/(\w+)$/.exec(path)?.[1];
  if (method === undefined) return undefined;
  const api = ABSENT.find(([pattern]) => pattern.test(method))?.[1];
  if (api === undefined) return undefined;
  const message = `${method}: the ${api} API is not in this version of Holdfast; run daprd for it`;
  return { code: Code.Unimplemented, message };
}
