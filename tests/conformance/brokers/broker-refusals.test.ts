import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import {
  freePort,
  mosquittoServer,
  postgresServer,
  rabbitServer,
  redisServer,
  Unavailable,
} from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startFailure } from '../makes/one-sidecar.ts';

/** A server that is away, or does not let a component in, keeps a sidecar from starting. */
interface Row {
  readonly type: string;
  readonly title: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** What is said; absent: it starts. */
  readonly wanted?: RegExp;
  /** Where daprd says something else, or only that it waited. */
  readonly daprd?: RegExp;
}

const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-refusals-'));
after(() => rm(folder, { recursive: true, force: true }));
const servers = await Promise.all([
  rabbitServer(),
  postgresServer(),
  redisServer(),
  mosquittoServer(['allow_anonymous false', `password_file ${await passwords()}`]),
]);
const [rabbit, postgres, redis, mosquitto] = servers;
const missing = servers.find((one) => one instanceof Unavailable);
for (const one of servers) if (!(one instanceof Unavailable)) after(() => one.process.remove());
if (
  rabbit instanceof Unavailable ||
  postgres instanceof Unavailable ||
  redis instanceof Unavailable ||
  mosquitto instanceof Unavailable
) {
  const why = missing instanceof Unavailable ? missing.why : '';
  if (process.env.CI === 'true') throw new Error(why);
  test('servers that do not let a component in', { skip: why }, () => {});
} else {
  const admin = new Redis(redis.port);
  await admin.config('SET', 'requirepass', 'right');
  admin.disconnect();
  const down = await freePort();
  const all = rows({
    down,
    rabbit: rabbit.port,
    redis: redis.port,
    mosquitto: mosquitto.port,
    postgres: postgres.url,
  });
  await bothMakes((make, executable) => conformance(make, executable, all));
}

function conformance(make: Make, executable: string | undefined, all: readonly Row[]): void {
  describe(`${make}, servers that do not let a component in`, () => {
    for (const { daprd, metadata, title, type, wanted } of all) {
      test(`${type}, ${title}`, async () => {
        const said = await failureOf(executable, type, metadata);
        const words = make === 'daprd' ? (daprd ?? wanted) : wanted;
        if (words === undefined) assert.equal(said, undefined);
        else assert.match(said ?? 'it started', words);
      });
    }
  });
}

type Ports = Readonly<Record<'down' | 'rabbit' | 'redis' | 'mosquitto', number>>;

function rows(at: Ports & { readonly postgres: string }): readonly Row[] {
  const amqp = (rest: string) => ({ connectionString: `amqp://${rest}` });
  const nobody = /connect(?:ion refused)?.*refused|ECONNREFUSED/;
  const database = (name: string, port?: number) => {
    const url = new URL(`/${name}?sslmode=disable`, at.postgres);
    if (port !== undefined) url.port = String(port);
    return { connectionString: url.href };
  };
  const redisRows = ['state.redis', 'pubsub.redis', 'configuration.redis'].map((type) => ({
    type,
    title: 'a wrong password',
    metadata: { redisHost: `127.0.0.1:${at.redis}`, redisPassword: 'wrong' },
    wanted: /WRONGPASS/,
  }));
  // daprd's client tries for as long as a component may take to begin, whatever the broker says.
  const late = /context deadline exceeded/;
  return [
    {
      type: 'pubsub.rabbitmq',
      title: 'a wrong password',
      metadata: amqp(`guest:wrong@127.0.0.1:${at.rabbit}`),
      wanted: /403.*ACCESS[-_]REFUSED/,
      daprd: /403.*not allowed/,
    },
    {
      type: 'pubsub.rabbitmq',
      title: 'a virtual host that is not there',
      metadata: amqp(`guest:guest@127.0.0.1:${at.rabbit}/nowhere`),
      wanted: /virtual host/,
      daprd: /vhost/,
    },
    {
      type: 'pubsub.rabbitmq',
      title: 'nobody there',
      metadata: amqp(`guest:guest@127.0.0.1:${at.down}`),
      wanted: nobody,
    },
    {
      type: 'pubsub.mqtt3',
      title: 'a wrong password',
      metadata: { url: `tcp://me:wrong@127.0.0.1:${at.mosquitto}` },
      wanted: /Not authorized/,
      daprd: late,
    },
    {
      type: 'pubsub.mqtt3',
      title: 'the right one',
      metadata: { url: `tcp://me:right@127.0.0.1:${at.mosquitto}` },
    },
    {
      type: 'pubsub.mqtt3',
      title: 'nobody there',
      metadata: { url: `tcp://127.0.0.1:${at.down}` },
      wanted: nobody,
      daprd: late,
    },
    ...redisRows,
    {
      type: 'state.postgresql',
      title: 'a database that is not there',
      metadata: database('nowhere'),
      wanted: /SQLSTATE 3D000/,
    },
    {
      type: 'state.postgresql',
      title: 'nobody there',
      metadata: database('postgres', at.down),
      wanted: nobody,
    },
  ];
}

async function passwords(): Promise<string> {
  const file = path.join(folder, 'passwords');
  await writeFile(file, 'me:right\n');
  try {
    execFileSync('mosquitto_passwd', ['-U', file]);
  } catch {
    // Without Mosquitto there is no test either.
  }
  return file;
}

async function failureOf(
  executable: string | undefined,
  type: string,
  metadata: Row['metadata'],
): Promise<string | undefined> {
  const resources = await mkdtemp(path.join(folder, 'resources-'));
  const items = Object.entries(metadata)
    .map(([name, value]) => `    - { name: ${name}, value: "${value}" }`)
    .join('\n');
  const text = `
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: { name: it }
spec:
  type: ${type}
  version: v1
  metadata:
${items}
`;
  await writeFile(path.join(resources, 'it.yaml'), text);
  const start = { role: 'caller', appPort: undefined, resources, secured: false };
  return await startFailure(executable, { ...start, configs: [] });
}
