import type { AppProtocol } from '@holdfast/sidecar';

/** Every way in which an application may be spoken to. */
export const APP_PROTOCOLS = [
  'http',
  'https',
  'grpc',
  'grpcs',
  'h2c',
] as const satisfies readonly AppProtocol[];

/** `--app-ssl` and `appSSL` are the old way to write https and grpcs. */
export function withTls(protocol: AppProtocol, tls: boolean): AppProtocol {
  return tls && (protocol === 'http' || protocol === 'grpc') ? `${protocol}s` : protocol;
}
