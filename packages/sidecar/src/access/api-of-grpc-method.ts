import type { Api } from './api-rules.ts';

const RUNTIME = '/dapr.proto.runtime.';
const DAPR = `${RUNTIME}v1.Dapr/`;

/** What daprd says of a method that is not offered, in the details of `UNIMPLEMENTED`. */
export const METHOD_NOT_OFFERED = 'requested endpoint is not available';

/** The methods of each API, by group and version, as daprd groups them. */
const METHODS: Readonly<Record<string, string>> = {
  'invoke v1': 'InvokeService',
  'state v1': 'GetState GetBulkState SaveState DeleteState DeleteBulkState ExecuteStateTransaction',
  'state v1alpha1': 'QueryStateAlpha1',
  'publish v1': 'PublishEvent BulkPublishEvent',
  'publish v1alpha1': 'BulkPublishEventAlpha1',
  'subscribe v1alpha1': 'SubscribeTopicEventsAlpha1',
  'bindings v1': 'InvokeBinding',
  'secrets v1': 'GetSecret GetBulkSecret',
  'actors v1':
    'RegisterActorTimer UnregisterActorTimer RegisterActorReminder GetActorReminder UnregisterActorReminder UnregisterActorRemindersByType ListActorReminders GetActorState ExecuteActorStateTransaction InvokeActor',
  'actors v1alpha1': 'SubscribeActorEventsAlpha1',
  'metadata v1': 'GetMetadata SetMetadata',
  'configuration v1': 'GetConfiguration SubscribeConfiguration UnsubscribeConfiguration',
  'configuration v1alpha1':
    'GetConfigurationAlpha1 SubscribeConfigurationAlpha1 UnsubscribeConfigurationAlpha1',
  'lock v1alpha1': 'TryLockAlpha1',
  'unlock v1alpha1': 'UnlockAlpha1',
  'crypto v1alpha1': 'EncryptAlpha1 DecryptAlpha1',
  'subtlecrypto v1alpha1':
    'SubtleGetKeyAlpha1 SubtleEncryptAlpha1 SubtleDecryptAlpha1 SubtleSignAlpha1 SubtleVerifyAlpha1 SubtleWrapKeyAlpha1 SubtleUnwrapKeyAlpha1',
  'workflows v1alpha1': workflows('Alpha1'),
  'workflows v1beta1': workflows('Beta1'),
  'jobs v1': 'ScheduleJob DeleteJob GetJob DeleteJobsByPrefix ListJobs',
  'jobs v1alpha1':
    'ScheduleJobAlpha1 DeleteJobAlpha1 GetJobAlpha1 DeleteJobsByPrefixAlpha1 ListJobsAlpha1',
  'conversation v1alpha1': 'ConverseAlpha1',
  'conversation v1alpha2': 'ConverseAlpha2',
  'shutdown v1': 'Shutdown',
};

const APIS: ReadonlyMap<string, Api> = new Map(
  Object.entries(METHODS).flatMap(([key, methods]) => {
    const [group = '', version = ''] = key.split(' ');
    return methods.split(' ').map((method) => [method, { group, version, route: '' }] as const);
  }),
);

/** Of a method of Dapr's that is in no group: a list of what is allowed does not allow it. */
const UNGROUPED: Api = { group: '', version: '', route: '' };

/** The API that a method (`/package.Service/Method`) belongs to; undefined for what is not Dapr's, and so passed on. */
export function apiOfGrpcMethod(fullMethod: string): Api | undefined {
  if (!fullMethod.startsWith(RUNTIME)) return undefined;
  if (!fullMethod.startsWith(DAPR)) return UNGROUPED;
  return APIS.get(fullMethod.slice(DAPR.length)) ?? UNGROUPED;
}

function workflows(stage: string): string {
  const verbs = ['Start', 'Get', 'Terminate', 'RaiseEvent', 'Purge', 'Pause', 'Resume'];
  return verbs.map((verb) => `${verb}Workflow${stage}`).join(' ');
}
