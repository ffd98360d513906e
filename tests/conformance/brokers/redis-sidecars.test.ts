import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RedisServer, redisServer, suiteWith, until } from '@holdfast/test-servers';
import { Redis } from 'ioredis';
import { type AppMesh, startAppMesh } from '../makes/app-mesh.ts';
import { bothMakes } from '../makes/both-makes.ts';
import { componentYaml } from '../makes/component-yaml.ts';
import { steadyFlow } from './steady-flow.ts';
import { subscriberApp } from './subscriber-app.ts';

await suiteWith('pubsub.redis, several sidecars', redisServer, async (server) => {
  await bothMakes((make, executable) => {
    const pairs =
      make === 'holdfast'
        ? [[make, make]]
        : [
            [make, make],
            ['holdfast', make],
          ];
    for (const [first, second] of pairs) {
      conformance([first!, second!], (one) => (one === 'daprd' ? executable : undefined), server);
    }
  });
});

type Member = 'first' | 'second' | 'third';

/** Two share a group, the third has one of its own. */
function conformance(
  [one, other]: readonly [string, string],
  executableOf: (make: string) => string | undefined,
  { port, process: redis }: RedisServer,
): void {
  describe(`pubsub.redis shared by ${one} and ${other}`, () => {
    const topic = `orders-${one}-${other}`;
    const apps = {
      first: subscriberApp([{ topic }]),
      second: subscriberApp([{ topic }]),
      third: subscriberApp([{ topic }]),
    };
    let mesh: AppMesh<Member>;
    before(async () => {
      const setup = async (member: Member, make: string, group: string) => ({
        appPort: await apps[member].start(),
        make: { daprd: executableOf(make) },
        resources: {
          'redis.yaml': componentYaml('broker', 'pubsub.redis', {
            ...{ redisHost: `127.0.0.1:${port}`, consumerID: group, queueDepth: '10' },
            ...{ processingTimeout: '1000', redeliverInterval: '200' },
          }),
        },
      });
      mesh = await startAppMesh(undefined, {
        first: await setup('first', one, 'shared'),
        second: await setup('second', other, 'shared'),
        third: await setup('third', other, 'alone'),
      });
      for (const member of ['first', 'second', 'third'] as const) await mesh.healthy(member);
    });
    after(async () => {
      await mesh?.stop();
      await Promise.all(Object.values(apps).map((app) => app.close()));
    });

    const publish = async (member: Member, data: string) => {
      const at = `http://127.0.0.1:${mesh.port(member)}/v1.0/publish/broker/${topic}`;
      return (await fetch(at, { method: 'POST', body: data })).status;
    };
    const texts = (of: string) => Array.from({ length: 100 }, (_, n) => `${of} ${n}`);
    const publishAll = (member: Member, all: readonly string[]) =>
      Promise.all(all.map(async (text) => assert.equal(await publish(member, text), 204)));
    const came = (...members: readonly Member[]) =>
      members.flatMap((member) => [...apps[member].texts(topic)]);
    const hasAll = (members: readonly Member[], wanted: readonly string[]) =>
      until(
        () => `${members} have ${wanted.length}, and not only ${came(...members).length}`,
        () => {
          const here = new Set(came(...members));
          return wanted.every((text) => here.has(text));
        },
      );

    test('a group shares the events, each goes to one of it; another group has them all', async () => {
      const all = texts('shared');
      await publishAll('first', all);
      await hasAll(['first', 'second'], all);
      await hasAll(['third'], all);
      await sleep(200);
      assert.equal(came('first', 'second').length, all.length);
      assert.ok(came('first').length > 0 && came('second').length > 0);
    });

    test('what comes while one of a group is away goes to the other, what comes while all are waits', async () => {
      const [less, none] = [texts('one is away'), texts('both are away')];
      await mesh.end('first');
      await publishAll('third', less);
      await hasAll(['second'], less);
      await mesh.end('second');
      await publishAll('third', none);
      await mesh.begin('first');
      await hasAll(['first'], none);
      await mesh.begin('second');
    });

    test('a Redis that was gone for a while loses nothing that was answered with 204', async () => {
      const flow = steadyFlow((text) => publish('first', text));
      await flow.sends(10);
      await redis.kill();
      await sleep(300);
      await redis.restart();
      await flow.sends(10);
      const sent = await flow.stop();
      await hasAll(['first', 'second'], sent);
      await hasAll(['third'], sent);
    });

    test('a group that lost its stream has another, and what comes then', async () => {
      const client = new Redis(port, '127.0.0.1');
      await client.del(topic);
      client.disconnect();
      const all = texts('after the loss');
      await publishAll('first', all);
      await hasAll(['first', 'second'], all);
      await hasAll(['third'], all);
    });
  });
}
