import { FlagError } from '../flags/flag.ts';
import type { CommandLine } from './command-line.ts';

/** What those are told who type a command that `dapr` alone has: what there is in its place. */
const IN_ITS_PLACE: Readonly<Record<string, string>> = {
  init: 'there is nothing to install; `holdfast run` starts sidecars, and --resources-path names the files of servers that you have',
  uninstall: '`holdfast stop` ends a run, and nothing else was installed',
  upgrade: 'there is no control plane',
  dashboard: '`holdfast ps` and `holdfast list` say what runs',
  logs: 'lines of a run are on its console, and with -f in .dapr/logs of each app',
  status: '`holdfast list` says what runs on this machine',
  mtls: '`holdfast ca` makes and renews certificates',
  components: 'GET /v1.0/metadata of a sidecar has its components',
  configurations: 'a Configuration is a file, for --config',
  annotate: 'nothing is done to Kubernetes',
  'build-info': '`holdfast version` says the version',
};

/** Commands of `dapr` without a counterpart: hidden, and refused with what there is. */
export function addDaprOnlyCommands({ program }: CommandLine): void {
  for (const [name, instead] of Object.entries(IN_ITS_PLACE)) {
    program
      .command(name, { hidden: true })
      .argument('[args...]')
      .helpOption(false)
      .allowUnknownOption()
      .action(() => {
        throw new FlagError(`\`${name}\` is a command of dapr and not of holdfast: ${instead}.`);
      });
  }
}
