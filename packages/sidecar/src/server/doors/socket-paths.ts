import { join } from 'node:path';

/** Where the API listens in place of ports, by Dapr's names. */
export interface SocketPaths {
  readonly http: string;
  readonly grpc: string;
}

/** What an address of a Unix socket has room for. */
const LONGEST_PATH_BYTES = process.platform === 'darwin' ? 103 : 107;

/** Those that are in use. */
export function openSockets(
  options: Parameters<typeof socketsOf>[0],
  grpc: boolean,
): { readonly http: string; readonly grpc?: string } | undefined {
  const paths = socketsOf(options);
  return paths === undefined || grpc ? paths : { http: paths.http };
}

/** Undefined where the API has ports. @throws RangeError for a path that no socket can have */
export function socketsOf(options: {
  readonly appId: string;
  readonly unixDomainSocket?: string;
}): SocketPaths | undefined {
  const { appId, unixDomainSocket: folder } = options;
  return folder === undefined ? undefined : socketPaths(folder, appId);
}

function socketPaths(folder: string, appId: string): SocketPaths {
  const paths = {
    http: join(folder, `dapr-${appId}-http.socket`),
    grpc: join(folder, `dapr-${appId}-grpc.socket`),
  };
  const bytes = Buffer.byteLength(paths.http);
  if (bytes <= LONGEST_PATH_BYTES) return paths;
  throw new RangeError(
    `sidecar.unixDomainSocket must be a folder in which ${paths.http} has at most ${LONGEST_PATH_BYTES} bytes, not ${bytes}: give a shorter one.`,
  );
}
