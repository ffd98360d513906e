import { Code } from '@connectrpc/connect';
import { notOfferedWords } from '../../server/not-offered.ts';

/** Of Dapr's API, and not in this version; the first that matches a method's name counts. */
const ABSENT: readonly (readonly [RegExp, string])[] = [
  [/Actor|Reminder|Timer/, 'actors'],
  [/Workflow/, 'workflow'],
  [/Job/, 'jobs'],
  [/Converse/, 'conversation'],
  [/Encrypt|Decrypt|Subtle/, 'cryptography'],
];

/** The service that workflow SDKs speak. */
const TASK_HUB = 'TaskHubSidecarService';
const SERVICES = new RegExp(`^/(dapr\\.proto\\.runtime\\.v1\\.Dapr|${TASK_HUB})/(\\w+)$`);

/** What a call of an API that is not here is told; undefined for any other. */
export function absentRpc(
  path: string,
): { readonly code: Code; readonly message: string } | undefined {
  const [, service, method] = SERVICES.exec(path) ?? [];
  if (service === undefined || method === undefined) return undefined;
  const api = service === TASK_HUB ? 'workflow' : ABSENT.find(([of]) => of.test(method))?.[1];
  if (api === undefined) return undefined;
  return { code: Code.Unimplemented, message: `${method}: ${notOfferedWords(api)}` };
}
