import net from 'node:net';
import type { DescService } from '@bufbuild/protobuf';
import { type CallOptions, type Client, createClient, type Transport } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import type { ComponentSettings } from '../components/component-settings.ts';

/** A connection to a component behind a Unix socket; opened with the first call, and again after a loss. */
export interface SocketClient {
  of<Service extends DescService>(service: Service): Client<Service>;
  /** What a component is told and asked before it is used; where that fails, the connection is closed. */
  first<T>(asking: () => Promise<T>): Promise<T>;
  /** Ends the calls under way. */
  close(): void;
}

/** What every service of components is told first. */
export const initOf = (settings: ComponentSettings) => ({
  metadata: { properties: Object.fromEntries(settings.entries()) },
});

/** Components that serve several of one type tell them apart by this. */
const INSTANCE_HEADER = 'x-component-instance';

/** Options of a call that is given up when `signal` aborts. */
export type Waiting = Pick<CallOptions, 'signal'>;

/** A component that is slow must not be left with calls that nobody waits for. */
export const waitedFor = (signal: AbortSignal | undefined): Waiting =>
  signal === undefined ? {} : { signal };

/** `instance`: the component's name, where the calls are one component's. */
export function socketClient(socketPath: string, instance?: string): SocketClient {
  const baseUrl = 'http://localhost';
  const createConnection = () => net.connect(socketPath);
  const sessionManager = new Http2SessionManager(baseUrl, undefined, { createConnection });
  const transport: Transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    interceptors: [
      (next) => (request) => {
        if (instance !== undefined) request.header.set(INSTANCE_HEADER, instance);
        return next(request);
      },
    ],
  });
  const close = () => sessionManager.abort();
  return {
    of: (service) => createClient(service, transport),
    first: (asking) =>
      asking().catch((error: unknown) => {
        close();
        throw error;
      }),
    close,
  };
}
