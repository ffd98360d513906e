import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { redisServer, Unavailable } from '@holdfast/test-servers';
import { HTTPExtension_Verb } from '../../packages/sidecar/src/grpc/protos/common_pb.ts';
import { InvokeServiceRequestSchema } from '../../packages/sidecar/src/grpc/protos/invoke_pb.ts';
import { GetMetadataRequestSchema } from '../../packages/sidecar/src/grpc/protos/metadata_pb.ts';
import { PublishEventRequestSchema } from '../../packages/sidecar/src/grpc/protos/pubsub_pb.ts';
import {
  GetStateRequestSchema,
  SaveStateRequestSchema,
} from '../../packages/sidecar/src/grpc/protos/state_pb.ts';
import { componentYaml } from '../../tests/conformance/makes/component-yaml.ts';
import { findDaprd } from '../../tests/conformance/makes/daprd.ts';
import { type Child, startChild } from './child.ts';
import { inTurns } from './in-turns.ts';
import { type LoadRequest, type LoadResult, loadGenerator } from './load.ts';
import { type Pair, startDaprdPair, startHoldfastPair } from './pair.ts';
import { printMachine } from './print-machine.ts';
import { type RpcRequest, rpcLoad } from './rpc-load.ts';

const CONNECTIONS = 32;
const ROUNDS = 3;
const SECONDS = 2;

interface Asked {
  readonly path: string;
  readonly body?: string;
}

const VALUE = { text: 'x'.repeat(200) };
const ITEM = JSON.stringify([{ key: 'one', value: VALUE }]);
const KEYS = JSON.stringify({ keys: ['one', 'two', 'three', 'four'] });
const OPERATIONS = JSON.stringify({
  operations: [
    { operation: 'upsert', request: { key: 'two', value: VALUE } },
    { operation: 'delete', request: { key: 'three' } },
  ],
});
const EVENT = JSON.stringify(VALUE);

/** The calls of the API that do not go to another application. */
const CALLS: Readonly<Record<string, Asked>> = {
  healthz: { path: 'healthz' },
  metadata: { path: 'metadata' },
  secret: { path: 'secrets/env/HOME' },
  'get, in-memory': { path: 'state/memory/one' },
  'save, in-memory': { path: 'state/memory', body: ITEM },
  'get, sqlite': { path: 'state/lite/one' },
  'save, sqlite': { path: 'state/lite', body: ITEM },
  'get, redis': { path: 'state/redis/one' },
  'save, redis': { path: 'state/redis', body: ITEM },
  'bulk get, redis': { path: 'state/redis/bulk', body: KEYS },
  'transaction, redis': { path: 'state/redis/transaction', body: OPERATIONS },
  'publish, in-memory': { path: 'publish/events/orders', body: EVENT },
  'publish, redis': { path: 'publish/streams/orders', body: EVENT },
};

const BYTES = Buffer.from(JSON.stringify(VALUE));
const rpc = <Desc extends DescMessage>(
  method: string,
  schema: Desc,
  message: MessageInitShape<Desc>,
): RpcRequest => ({
  path: `/dapr.proto.runtime.v1.Dapr/${method}`,
  message: toBinary(schema, create(schema, message)),
});

/** The same over gRPC, as most of Dapr's SDKs ask. */
const RPCS: Readonly<Record<string, RpcRequest>> = {
  'gRPC GetMetadata': rpc('GetMetadata', GetMetadataRequestSchema, {}),
  'gRPC GetState, in-memory': rpc('GetState', GetStateRequestSchema, {
    storeName: 'memory',
    key: 'one',
  }),
  'gRPC SaveState, in-memory': rpc('SaveState', SaveStateRequestSchema, {
    storeName: 'memory',
    states: [{ key: 'one', value: BYTES }],
  }),
  'gRPC GetState, redis': rpc('GetState', GetStateRequestSchema, {
    storeName: 'redis',
    key: 'one',
  }),
  'gRPC PublishEvent, redis': rpc('PublishEvent', PublishEventRequestSchema, {
    pubsubName: 'streams',
    topic: 'orders',
    data: BYTES,
    dataContentType: 'application/json',
  }),
  'gRPC InvokeService, caller': {
    ...rpc('InvokeService', InvokeServiceRequestSchema, {
      id: 'app-b',
      message: { method: 'order', httpExtension: { verb: HTTPExtension_Verb.GET } },
    }),
    withoutLength: true,
  },
};

/** A sidecar of each make alone, asked for state, events and secrets; the same components, one Redis for both. */
export async function run(): Promise<void> {
  const daprd = await findDaprd();
  const redis = await redisServer(['--appendfsync', 'everysec']);
  if (redis instanceof Unavailable) {
    console.log(`skipped: ${redis.why}`);
    return;
  }
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-bench-'));
  const children: Child[] = [];
  try {
    const app = startChild('app', [process.execPath, join(import.meta.dirname, 'app-process.ts')]);
    children.push(app.child);
    const { port: appPort } = JSON.parse(await app.firstLine) as { port: number };
    const start = async (make: string, open: typeof startHoldfastPair) => {
      const lite = join(folder, `${make}.db`);
      const pair = await open({ folder, appPort, components: components(redis.port, lite) });
      children.push(pair.first, pair.second);
      return pair;
    };
    const pairs = [await start('holdfast', startHoldfastPair)];
    if (daprd === undefined) console.log('real daprd is not here (../shared/peers): ours alone');
    else pairs.push(await start('daprd', (behind) => startDaprdPair(daprd, behind)));
    await measure(pairs);
  } finally {
    await Promise.all(children.map((child) => child.stop()));
    await redis.process.remove();
    await rm(folder, { recursive: true, force: true });
  }
}

function components(redisPort: number, lite: string): string {
  const redisHost = `127.0.0.1:${redisPort}`;
  return [
    componentYaml('memory', 'state.in-memory'),
    componentYaml('lite', 'state.sqlite', { connectionString: lite }),
    componentYaml('redis', 'state.redis', { redisHost }),
    componentYaml('events', 'pubsub.in-memory'),
    componentYaml('streams', 'pubsub.redis', { redisHost, maxLenApprox: '1000' }),
    componentYaml('env', 'secretstores.local.env'),
  ].join('---');
}

interface Round extends LoadResult {
  readonly cpuUs: number;
}

async function measure(pairs: readonly Pair[]): Promise<void> {
  const load = loadGenerator();
  printMachine(`${load.name}, ${CONNECTIONS} connections; medians of ${ROUNDS} × ${SECONDS} s`);
  for (const pair of pairs) console.log(`${pair.name}: ${pair.version}`);
  console.log(`\n${'call'.padEnd(26)}  ours: req/s   p99 ms   CPU µs   daprd: the same`);
  const compare = async (name: string, ask: (pair: Pair) => Promise<LoadResult>) => {
    // To warm up.
    for (const pair of pairs) await ask(pair);
    const results = await inTurns<keyof Round>(pairs, ROUNDS, async (pair) => {
      const before = pair.first.cpuUs();
      const result = await ask(pair);
      return { ...result, cpuUs: (pair.first.cpuUs() - before) / result.requests };
    });
    printCall(
      name,
      results.map(([, medians]) => medians),
    );
  };
  for (const [name, { path, body }] of Object.entries(CALLS)) {
    await compare(name, (pair) => {
      const url = new URL(`/v1.0/${path}`, pair.url).href;
      const request: LoadRequest = body === undefined ? { url } : { url, body };
      return load.run(request, CONNECTIONS, SECONDS);
    });
  }
  for (const [name, request] of Object.entries(RPCS)) {
    await compare(name, ({ grpcPort }) => rpcLoad(grpcPort, CONNECTIONS, SECONDS, request));
  }
}

type Medians = Readonly<Record<keyof Round, number>>;

function printCall(name: string, [ours, theirs]: readonly Medians[]): void {
  if (ours === undefined) return;
  const cells = (of: Medians) =>
    `${of.perSecond.toFixed(0).padStart(12)} ${of.p99Ms.toFixed(1).padStart(8)} ${of.cpuUs.toFixed(0).padStart(8)}`;
  const ratio = (key: keyof Round) => `${(ours[key] / theirs![key]).toFixed(2)} ×`;
  const compared =
    theirs === undefined
      ? ''
      : ` ${cells(theirs)}   req/s ${ratio('perSecond')}, p99 ${ratio('p99Ms')}, CPU ${ratio('cpuUs')}`;
  console.log(`${name.padEnd(26)} ${cells(ours)}${compared}`);
}

if (import.meta.main) await run();
