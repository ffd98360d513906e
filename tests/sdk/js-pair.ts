import { CommunicationProtocolEnum, DaprClient, DaprServer } from '@dapr/dapr';
import { eventually, freePort } from '@holdfast/test-servers';
import { type Flagged, startFlagged } from '../conformance/makes/flagged.ts';
import { ready } from '../conformance/makes/one-sidecar.ts';
import { components } from './sdk-components.ts';

export type Protocol = 'HTTP' | 'gRPC';

/** An event as a handler of the SDK got it. */
export interface SdkEvent {
  readonly data: unknown;
  readonly headers: Readonly<Record<string, string>>;
}

/** What handlers of the SDK were given, by topic or binding. */
export class Arrivals {
  readonly #events = new Map<string, SdkEvent[]>();

  add(name: string, data: unknown, headers: object): number {
    const events = [...this.of(name), { data, headers: headers as SdkEvent['headers'] }];
    this.#events.set(name, events);
    return events.length;
  }

  of(name: string): readonly SdkEvent[] {
    return this.#events.get(name) ?? [];
  }

  /** Waits until there are `count` of them. */
  wait(name: string, count: number): Promise<readonly SdkEvent[]> {
    return eventually(
      () => this.of(name),
      (all) => all.length >= count,
      `${count} events of ${name} come`,
    );
  }

  async data(name: string, count: number): Promise<unknown[]> {
    return (await this.wait(name, count)).map(({ data }) => data);
  }
}

/** A server of Dapr's JavaScript SDK behind a sidecar that is a process of its own, and a client of it. */
export interface JsPair {
  readonly protocol: Protocol;
  readonly server: DaprServer;
  readonly client: DaprClient;
  readonly sidecar: Flagged;
  readonly arrivals: Arrivals;
  stop(): Promise<void>;
}

export const APP_ID = 'sdk-app';
export const TOKEN = 'open-sesame';

/** `declare` registers the handlers: a sidecar asks for them once. */
export async function startJsPair(
  daprd: string | undefined,
  protocol: Protocol,
  redisPort: number,
  declare: (server: DaprServer, arrivals: Arrivals) => Promise<void>,
): Promise<JsPair> {
  const appPort = await freePort();
  const sidecar = await startFlagged(daprd, {
    flags: {
      'app-id': APP_ID,
      'app-port': appPort,
      'app-protocol': protocol === 'gRPC' ? 'grpc' : 'http',
      'max-body-size': '1Mi',
    },
    env: { DAPR_API_TOKEN: TOKEN, TEST_SECRET_1: 'secret_val_1', TEST_SECRET_2: 'secret_val_2' },
    resources: components(redisPort),
    // It waits for its application.
    wait: false,
  });
  const of = (kind: CommunicationProtocolEnum, port: number) => ({
    daprHost: '127.0.0.1',
    daprPort: String(port),
    communicationProtocol: kind,
    daprApiToken: TOKEN,
    maxBodySizeMb: 8,
    logger: { level: 'error' as never },
  });
  const { GRPC, HTTP } = CommunicationProtocolEnum;
  const options = protocol === 'gRPC' ? of(GRPC, sidecar.ports.grpc) : of(HTTP, sidecar.ports.http);
  const server = new DaprServer({
    serverHost: '127.0.0.1',
    serverPort: String(appPort),
    communicationProtocol: options.communicationProtocol,
    clientOptions: options,
    maxBodySizeMb: 8,
    logger: options.logger,
  });
  const arrivals = new Arrivals();
  await declare(server, arrivals);
  try {
    // Its own wait ends nothing when the sidecar has ended.
    const ended = sidecar.exited.then(() => Promise.reject(new Error(sidecar.said())));
    await Promise.race([ended, server.start().then(() => ready(sidecar.ports.http))]);
  } catch (error) {
    await Promise.all([server.client.stop(), server.stop(), sidecar.stop()]);
    throw error;
  }
  const client = new DaprClient(options);
  return {
    protocol,
    server,
    client,
    sidecar,
    arrivals,
    async stop() {
      await client.stop();
      await server.client.stop();
      await server.stop();
      await sidecar.stop();
    },
  };
}
