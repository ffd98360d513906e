export type { AppProtocol } from './app/app-channel.ts';
export { ComponentError } from './components/open-components.ts';
export type { Ended, StopOptions } from './ending.ts';
export { NameResolutionError } from './names/name-resolution-error.ts';
export type { NameResolver, Registration } from './names/name-resolver.ts';
export {
  type AppHealthCheckOptions,
  SIDECAR_DEFAULTS,
  type SidecarOptions,
} from './options.ts';
export type { MtlsOptions } from './peers/mtls-options.ts';
export { formatSpiffeId, parseSpiffeId, type SpiffeId, uriOf } from './peers/spiffe-id.ts';
export { ConfigurationError } from './resources/configuration-error.ts';
export { ConfigurationFileError } from './resources/configuration-files.ts';
export { PortTakenError } from './server/doors/listen.ts';
export { SocketTakenError } from './server/doors/listen-socket.ts';
export { type Sidecar, type SidecarEnv, startSidecar } from './start-sidecar.ts';
