import { withoutCredentials } from '../flow/headers/without-credentials.ts';
import { findTarget } from '../invoke/target.ts';
import type { ApiCall } from './api-call.ts';

/** Dapr's names of what a path of the API does, by verb; the first that fits counts. */
const NAMES: readonly (readonly [verbs: string, path: RegExp, name: string])[] = [
  ['GET', /^healthz\/outbound$/, 'HealthzOutbound'],
  ['GET', /^healthz$/, 'Healthz'],
  ['GET', /^metadata$/, 'GetMetadata'],
  ['PUT', /^metadata\//, 'PutMetadata'],
  ['POST', /^shutdown$/, 'Shutdown'],
  ['POST PUT', /^state\/[^/]+\/bulk$/, 'GetBulkState'],
  ['POST PUT', /^state\/[^/]+\/transaction$/, 'ExecuteStateTransaction'],
  ['POST PUT', /^state\/[^/]+\/query$/, 'QueryStateAlpha1'],
  ['POST PUT', /^state\//, 'SaveState'],
  ['GET', /^state\//, 'GetState'],
  ['DELETE', /^state\//, 'DeleteState'],
  ['POST PUT', /^publish\/bulk\//, 'BulkPublishEvent'],
  ['POST PUT', /^publish\//, 'PublishEvent'],
  ['GET', /^secrets\/[^/]+\/bulk$/, 'GetBulkSecret'],
  ['GET', /^secrets\//, 'GetSecret'],
  ['GET', /^configuration\/[^/]+\/subscribe$/, 'SubscribeConfiguration'],
  ['GET', /^configuration\/[^/]+\/[^/]+\/unsubscribe$/, 'UnsubscribeConfiguration'],
  ['GET', /^configuration\//, 'GetConfiguration'],
  ['POST', /^lock\//, 'TryLock'],
  ['POST', /^unlock\//, 'Unlock'],
  ['POST PUT', /^bindings\//, 'InvokeBinding'],
  ['GET', /^actors\/[^/]+\/[^/]+\/state\//, 'GetActorState'],
  ['POST PUT', /^actors\/[^/]+\/[^/]+\/state$/, 'ExecuteActorStateTransaction'],
  ['GET', /^actors\/[^/]+\/[^/]+\/reminders\//, 'GetActorReminder'],
  ['DELETE', /^actors\/[^/]+\/[^/]+\/reminders\//, 'UnregisterActorReminder'],
  ['POST PUT', /^actors\/[^/]+\/[^/]+\/reminders\//, 'RegisterActorReminder'],
  ['DELETE', /^actors\/[^/]+\/[^/]+\/timers\//, 'UnregisterActorTimer'],
  ['POST PUT', /^actors\/[^/]+\/[^/]+\/timers\//, 'RegisterActorTimer'],
  ['', /^actors\/([^/]+)\/([^/]+)\/method\//, 'InvokeActor/$1.$2'],
  ['GET', /^workflows\//, 'GetWorkflow'],
  ['POST', /^workflows\/.*\/start$/, 'StartWorkflow'],
  ['POST', /^workflows\/.*\/terminate$/, 'TerminateWorkflow'],
  ['POST', /^workflows\/.*\/pause$/, 'PauseWorkflow'],
  ['POST', /^workflows\/.*\/resume$/, 'ResumeWorkflow'],
  ['POST', /^workflows\/.*\/purge$/, 'PurgeWorkflow'],
  ['POST', /^workflows\/.*\/raiseEvent\//, 'RaiseEventWorkflow'],
  ['POST', /^jobs\//, 'ScheduleJob'],
  ['GET', /^jobs\//, 'GetJob'],
  ['DELETE', /^jobs\//, 'DeleteJob'],
  ['PUT', /^crypto\/[^/]+\/encrypt$/, 'Encrypt'],
  ['PUT', /^crypto\/[^/]+\/decrypt$/, 'Decrypt'],
  ['POST', /^conversation\//, 'Converse'],
];

/** What a call of the API does, as Dapr names it: nothing of what its path says but whom it is for. */
export function endpointName({ head, reached }: ApiCall): string {
  if (reached === 'invocation') {
    const target = findTarget(head.path, head.appId, head.authorization);
    return target === undefined
      ? 'InvokeService'
      : `InvokeService/${withoutCredentials(target.id)}`;
  }
  const path = head.path.replace(/^\/+v1\.0(?:-(?:alpha|beta)\d+)?\/|\/$/g, '');
  for (const [verbs, pattern, name] of NAMES) {
    if (verbs !== '' && !verbs.split(' ').includes(head.method)) continue;
    const match = pattern.exec(path);
    if (match !== null) return name.replace(/\$(\d)/g, (_, at) => match[Number(at)] ?? '');
  }
  return 'InvokeService';
}
