import type { Flag } from './flag.ts';

const NO_ACTORS = 'there are no actors and no scheduler here';
const NO_SENTRY = 'certificates come from files (--cert-chain-file), which `holdfast ca` makes';
const NO_CONTROL_PLANE = 'there is no control plane';

/** Flags of daprd that `holdfastd` takes without effect, and why they have none. */
export const IDLE_FLAGS: readonly Flag[] = [
  {
    name: 'profile-port',
    type: 'port',
    value: 'PORT',
    default: '7777',
    meaning: 'The port of the profiler',
    ignored: "use Node's --cpu-prof or --inspect",
  },
  {
    name: 'enable-profiling',
    type: 'boolean',
    default: 'false',
    meaning: 'Serve the profiler',
    ignored: "use Node's --cpu-prof or --inspect",
  },
  {
    name: 'hot-reload-reconcile-interval',
    type: 'duration',
    value: 'DURATION',
    default: '60s',
    meaning: 'How often resources are compared with those in use',
    ignored: 'changed files are noticed when they change, or at SIGHUP',
  },
  {
    name: 'app-binding-options-timeout',
    type: 'duration',
    value: 'DURATION',
    default: '3s',
    meaning: 'How long the app may take to say whether it wants an input binding',
    ignored: 'it may take as long as it likes, and keeps no other binding waiting',
  },
  {
    name: 'app-health-port',
    type: 'port',
    value: 'PORT',
    meaning: 'Another port to probe the app on',
    ignored: 'the probe goes to --app-port',
  },
  {
    name: 'sentry-address',
    type: 'text',
    value: 'ADDRESS',
    meaning: 'Where certificates come from',
    ignored: NO_SENTRY,
  },
  {
    name: 'sentry-request-jwt-audiences',
    type: 'list',
    value: 'NAMES',
    meaning: 'Audiences of certificate requests',
    ignored: NO_SENTRY,
  },
  {
    name: 'control-plane-address',
    type: 'text',
    value: 'ADDRESS',
    meaning: "Dapr's operator",
    ignored: NO_CONTROL_PLANE,
  },
  {
    name: 'control-plane-namespace',
    type: 'text',
    value: 'NAME',
    default: 'default',
    meaning: "The operator's namespace",
    ignored: NO_CONTROL_PLANE,
  },
  {
    name: 'control-plane-trust-domain',
    type: 'text',
    value: 'NAME',
    default: 'localhost',
    meaning: "The operator's trust domain",
    ignored: NO_CONTROL_PLANE,
  },
  {
    name: 'disable-builtin-k8s-secret-store',
    type: 'boolean',
    default: 'false',
    meaning: "Do not offer Kubernetes' secrets",
    ignored: 'they are not offered',
  },
  {
    name: 'placement-host-address',
    type: 'list',
    value: 'ADDRESSES',
    meaning: 'Where actors are placed',
    ignored: NO_ACTORS,
  },
  {
    name: 'scheduler-host-address',
    type: 'list',
    value: 'ADDRESSES',
    meaning: 'Where jobs are scheduled',
    ignored: NO_ACTORS,
  },
  {
    name: 'scheduler-job-streams',
    type: 'integer',
    value: 'COUNT',
    default: '3',
    meaning: 'Streams to the scheduler',
    ignored: NO_ACTORS,
  },
  {
    name: 'actors-disseminate-timeout',
    type: 'duration',
    value: 'DURATION',
    default: '30s',
    meaning: 'How long placing actors may take',
    ignored: NO_ACTORS,
  },
];
