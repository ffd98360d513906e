import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { RPC_COMPONENTS } from '../cases/grpc.ts';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { type GrpcApp, startGrpcApp } from '../makes/grpc-app.ts';
import { daprClient } from '../makes/grpc-client.ts';
import { type Mesh, startMesh } from '../makes/mesh.ts';

/** A name as a client of the gRPC API writes it, what an application over gRPC is told, and where one over HTTP has it. */
const NAMES: readonly (readonly [name: string, overGrpc: string, overHttp: string])[] = [
  ['plain', 'plain', '/plain'],
  ['', '', '/'],
  ['.', '', '/'],
  ['..', '', '/'],
  ['/a', '/a', '/a'],
  ['a/../b', 'b', '/b'],
  ['a/../../b', 'b', '/b'],
  ['a//b///c/', 'a/b/c', '/a/b/c'],
  ['per%cent', 'per%cent', '/per%cent'],
  ['per%25cent', 'per%25cent', '/per%25cent'],
  ['a%2Fb', 'a%2Fb', '/a%2Fb'],
  ['a%23b', 'a%23b', '/a%23b'],
  ['a%3Fb', 'a%3Fb', '/a%3Fb'],
  ['a%00b', 'a%00b', '/a%00b'],
  ['a%0d%0ab', 'a%0d%0ab', '/a%0d%0ab'],
  ['a b', 'a b', '/a%20b'],
  ['a%20b', 'a%20b', '/a%20b'],
  ['a"b', 'a"b', '/a%22b'],
  ['a\\b', 'a\\b', '/a%5Cb'],
  ['a+b', 'a+b', '/a+b'],
  ['é€😀', 'é€😀', '/%C3%A9%E2%82%AC%F0%9F%98%80'],
  ['%C3%A9', '%C3%A9', '/%C3%A9'],
  ['%FF', '%FF', '/%FF'],
  ['a<b>', 'a<b>', '/a%3Cb%3E'],
  ['a|b^c`{d}', 'a|b^c`{d}', '/a%7Cb%5Ec%60%7Bd%7D'],
  ["a!$&'()*,;=:@[]", "a!$&'()*,;=:@[]", "/a!$&'()*,;=:@[]"],
];

/** Where the two makes differ, over HTTP: the last is daprd's. */
const APART: readonly (readonly [name: string, overHttp: string, daprd: string | RegExp])[] = [
  // Dots behind escapes do not lead out of where the application put its paths.
  ['a%2F..%2Fb', '/b', '/a%2F..%2Fb'],
  ['a/%2e%2e/b', '/b', '/a/%2e%2e/b'],
  // What is no escape is a percent sign.
  ['bro%ken', '/bro%25ken', /invalid URL escape "%ke"/],
  ['end%', '/end%25', /invalid URL escape "%"/],
];

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, names of methods`, () => {
    let app: GrpcApp;
    let mesh: Mesh;
    before(async () => {
      app = await startGrpcApp();
      const resources = { 'rpc.yaml': RPC_COMPONENTS, 'rpc-secrets.json': '{"a":"b"}' };
      mesh = await startMesh(executable, { grpcAppPort: app.port, resources });
    });
    after(async () => {
      await mesh?.stop();
      app.close();
    });
    const invoke = async (id: string, method: string, field: string) => {
      const message = { method, httpExtension: { verb: 1 as const } };
      try {
        const { data } = await daprClient(mesh.grpcPort('caller')).invokeService({ id, message });
        return JSON.parse(Buffer.from(data!.value).toString())[field];
      } catch (error) {
        return `! ${(error as Error).message}`;
      }
    };
    for (const [name, overGrpc, overHttp] of NAMES) {
      test(JSON.stringify(name), async () => {
        const seen = [await invoke('spoken', name, 'method'), await invoke('callee', name, 'url')];
        assert.deepEqual(seen, [overGrpc, overHttp]);
      });
    }

    for (const [name, ours, daprd] of APART) {
      test(`${JSON.stringify(name)}, which is no name of the same path`, async () => {
        assert.equal(await invoke('spoken', name, 'method'), name);
        const url = await invoke('callee', name, 'url');
        const expected = make === 'daprd' ? daprd : ours;
        if (typeof expected === 'string') assert.equal(url, expected);
        else assert.match(url, expected);
      });
    }

    for (const [name, why] of [
      ['a#b', 'forbidden character: "a#b"'],
      ['a?b', 'forbidden character: "a?b"'],
      ['a\0', 'forbidden character: "a\\x00"'],
      ['a\rb', 'control character at position 1: "a\\rb"'],
    ] as const) {
      test(`${JSON.stringify(name)} is refused`, async () => {
        const words = `invalid method: method contains ${why}`;
        for (const id of ['spoken', 'callee'])
          assert.equal(
            await invoke(id, name, 'method'),
            `! [internal] failed to invoke, id: ${id}, err: rpc error: code = InvalidArgument desc = ${words}`,
          );
      });
    }

    test('from a client of the HTTP API an escape is what it stands for', async () => {
      const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/invoke/spoken/method`;
      const told = async (path: string) =>
        ((await (await fetch(`${at}/${path}`)).json()) as { method: string }).method;
      assert.deepEqual(
        [
          await told('a%2Fb'),
          await told('a%2525b'),
          await told('%C3%A9'),
          await told('a%2F..%2Fb'),
        ],
        ['a/b', 'a%25b', 'é', 'b'],
      );
    });

    test('a client of the HTTP API cannot name another method than its path does', async () => {
      const at = `http://127.0.0.1:${mesh.port('caller')}/v1.0/invoke/spoken/method/a`;
      const answer = await fetch(at, { headers: { 'holdfast-grpc-method': 'b' } });
      assert.equal(((await answer.json()) as { method: string }).method, 'a');
    });
  });
}
