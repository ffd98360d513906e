import type { ClientSessionOptions } from 'node:http2';
import { createRegistry } from '@bufbuild/protobuf';
import { type CallOptions, type Client, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Dapr } from '../../../packages/sidecar/src/grpc/protos/dapr_pb.ts';
import { file_error_details as DETAILS } from '../../../packages/sidecar/src/grpc/protos/error_details_pb.ts';

export type DaprClient = Client<typeof Dapr>;

/** `nodeOptions` may lead elsewhere than to the port. */
export function daprClient(port: number, nodeOptions: ClientSessionOptions = {}): DaprClient {
  const baseUrl = `http://127.0.0.1:${port}`;
  return createClient(Dapr, createGrpcTransport({ baseUrl, nodeOptions }));
}

const registry = createRegistry(DETAILS);

/** What a call brought, as plain data: bytes as text, the error with its details, chosen metadata. */
export async function outcome(
  call: (options: CallOptions) => Promise<unknown>,
  shown: readonly string[] = [],
): Promise<unknown> {
  let metadata = new Headers();
  const keep = (more: Headers) => {
    for (const [name, value] of more) metadata.append(name, value);
  };
  let result: object;
  try {
    result = { answer: plain(await call({ onHeader: keep, onTrailer: keep })) };
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    metadata = error.metadata;
    const details = error.findDetails(registry as never) as readonly object[];
    result = {
      code: error.code,
      message: error.rawMessage,
      ...(details.length === 0 ? {} : { details: details.map(plain) }),
    };
  }
  const seen = shown.map((name) => [name, metadata.get(name)]);
  return shown.length === 0 ? result : { ...result, metadata: Object.fromEntries(seen) };
}

const UUID = /[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}/g;

function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  if (typeof value === 'string') return value.replaceAll(UUID, 'UUID');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !name.startsWith('$'))
      .map(([name, one]) => [name, plain(one)]),
  );
}
