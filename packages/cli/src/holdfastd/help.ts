import { flagHelp } from '../flags/flag-help.ts';
import { HOLDFASTD_FLAGS } from '../flags/holdfastd-flags.ts';

/** What `holdfastd --help` prints. */
export function holdfastdHelp(): string {
  return `holdfastd: the sidecar of one app, with daprd's flags (one dash or two).

  holdfastd --app-id orders --app-port 8080 --resources-path ./resources

${flagHelp(HOLDFASTD_FLAGS)}

Variables: DAPR_API_TOKEN (callers must send it as dapr-api-token), APP_API_TOKEN (sent to the app),
NAMESPACE, DAPR_HOST_IP (the address other sidecars find this one under).
Signals: SIGTERM and SIGINT end it gracefully, a second one at once; SIGHUP reads the resources again.
Status: 0 when it was asked to end, 1 when it could not run, 2 when a flag was not understood.
`;
}
