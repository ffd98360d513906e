import { randomUUID } from 'node:crypto';

/** What an instance of an application is called. */
export interface InstanceNames {
  readonly appId: string;
  readonly namespace: string;
  readonly podName: string | undefined;
}

/** Dapr's placeholders: a group of one where `{uuid}` is in it, and so on. */
export function withNames(text: string, { appId, namespace, podName }: InstanceNames): string {
  return text
    .replaceAll('{appID}', appId)
    .replaceAll('{namespace}', namespace)
    .replaceAll('{podName}', podName ?? '')
    .replaceAll('{uuid}', () => randomUUID());
}
