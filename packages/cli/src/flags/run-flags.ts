import { APP_PROTOCOLS } from './app-protocol.ts';
import type { Flag } from './flag.ts';
import { HOLDFASTD_FLAGS } from './holdfastd-flags.ts';

/** The flags of `holdfast run`: those of `dapr run`, and `--strict` is for holdfastd alone. */
export const RUN_FLAGS: readonly Flag[] = [
  {
    name: 'run-file',
    letter: 'f',
    type: 'text',
    value: 'FILE',
    meaning: 'Run all apps of a run file, or of the dapr.yaml of a folder',
  },
  {
    name: 'app-id',
    letter: 'a',
    type: 'text',
    value: 'ID',
    meaning: 'The name other apps call this one by (default: the name of the folder)',
  },
  {
    name: 'app-port',
    letter: 'p',
    type: 'port',
    value: 'PORT',
    meaning: 'The port the app listens on',
  },
  {
    name: 'app-protocol',
    letter: 'P',
    type: 'choice',
    choices: APP_PROTOCOLS,
    default: 'http',
    meaning: 'How the app is spoken to; https and grpcs take any certificate',
  },
  {
    name: 'dapr-http-port',
    letter: 'H',
    type: 'port',
    value: 'PORT',
    default: '-1',
    meaning: "The port of the sidecar's HTTP API; -1 for any free one",
  },
  {
    name: 'dapr-grpc-port',
    letter: 'G',
    type: 'port',
    value: 'PORT',
    default: '-1',
    meaning: "The port of the sidecar's gRPC API; -1 for any free one",
  },
  {
    name: 'dapr-internal-grpc-port',
    letter: 'I',
    type: 'port',
    value: 'PORT',
    default: '-1',
    meaning: 'The port other sidecars call this one on',
  },
  {
    name: 'metrics-port',
    letter: 'M',
    type: 'port',
    value: 'PORT',
    default: '-1',
    meaning: 'The port of the Prometheus page',
  },
  {
    name: 'config',
    letter: 'c',
    type: 'text',
    value: 'FILE',
    meaning: 'A Configuration (default: ~/.dapr/config.yaml where there is one)',
  },
  {
    name: 'resources-path',
    letter: 'd',
    type: 'texts',
    value: 'PATH',
    meaning:
      'A folder of resources; may be given again (default: .dapr/resources, then ~/.dapr/components)',
  },
  {
    name: 'components-path',
    type: 'texts',
    value: 'PATH',
    meaning: 'The old name of --resources-path',
    deprecated: 'resources-path',
  },
  {
    name: 'unix-domain-socket',
    letter: 'u',
    type: 'text',
    value: 'DIR',
    meaning: 'Serve the API on Unix sockets in a folder, in place of ports',
  },
  {
    name: 'kubernetes',
    letter: 'k',
    type: 'boolean',
    default: 'false',
    meaning: 'Run a run file on Kubernetes',
    ignored: 'everything runs on this machine',
  },
  ...shared([
    'app-channel-address',
    'app-max-concurrency',
    'enable-app-health-check',
    'app-health-check-path',
    'app-health-probe-interval',
    'app-health-probe-timeout',
    'app-health-threshold',
    'max-body-size',
    'read-buffer-size',
    'dapr-http-max-request-size',
    'dapr-http-read-buffer-size',
    'dapr-listen-addresses',
    'enable-api-logging',
    'log-level',
    'app-ssl',
    'enable-profiling',
    'profile-port',
  ]),
  {
    name: 'placement-host-address',
    type: 'text',
    value: 'ADDRESS',
    meaning: 'Where actors are placed',
    ignored: 'there are no actors here',
  },
  {
    name: 'scheduler-host-address',
    type: 'text',
    value: 'ADDRESS',
    meaning: 'Where jobs are scheduled',
    ignored: 'there is no scheduler here',
  },
  {
    name: 'runtime-path',
    type: 'text',
    value: 'DIR',
    meaning: 'Run the sidecar `daprd` of this folder instead of our own',
  },
  { name: 'help', letter: 'h', type: 'boolean', default: 'false', meaning: 'Print this' },
];

/** Flags that mean the same here as there, and whose sizes are checked by the sidecar itself. */
function shared(names: readonly string[]): readonly Flag[] {
  return names.map((name) => {
    const flag = HOLDFASTD_FLAGS.find((row) => row.name === name);
    if (flag === undefined) throw new Error(`unreachable: holdfastd has no flag ${name}`);
    return flag;
  });
}
