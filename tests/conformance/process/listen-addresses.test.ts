import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bothMakes, type Make } from '../makes/both-makes.ts';
import { startFlagged } from '../makes/flagged.ts';

/** Lists for `--dapr-listen-addresses`, and the loopback addresses at which the API is there then. */
const LISTS: readonly (readonly [
  list: string,
  heard: readonly string[],
  daprds?: readonly string[],
])[] = [
  ['127.0.0.1,127.0.0.1', ['127.0.0.1']],
  ['0.0.0.0,127.0.0.1', ['127.0.0.1', '127.0.0.2']],
  // daprd listens at the first, and leaves out the second, which it cannot have beside it.
  ['127.0.0.1,0.0.0.0', ['127.0.0.1', '127.0.0.2'], ['127.0.0.1']],
  ['127.0.0.1,127.0.0.2', ['127.0.0.1', '127.0.0.2']],
  // Of the documentation's own network: no machine has it.
  ['203.0.113.7,127.0.0.1', ['127.0.0.1']],
  // A name that nobody has.
  ['nowhere.invalid,127.0.0.1', ['127.0.0.1']],
];

/** All of 127.0.0.0/8 is loopback there, elsewhere one address of it. */
const OTHER_LOOPBACK = process.platform === 'linux' ? false : 'it needs 127.0.0.2';

await bothMakes(conformance);

function conformance(make: Make, executable: string | undefined): void {
  describe(`${make}, addresses to listen at`, { concurrency: 5, skip: OTHER_LOOPBACK }, () => {
    for (const [list, heard, daprds] of LISTS) {
      test(list, async (t) => {
        const flags = { 'dapr-listen-addresses': list };
        const sidecar = await startFlagged(executable, { flags });
        t.after(() => sidecar.stop());
        const { grpc, http } = sidecar.ports;
        const answering: string[] = [];
        for (const host of ['127.0.0.1', '127.0.0.2']) {
          const answers = await Promise.allSettled([
            fetch(`http://${host}:${http}/v1.0/healthz`),
            // No request of gRPC's, and so none that is answered with 200.
            fetch(`http://${host}:${grpc}/`).catch(
              (error: Error & { cause?: { code?: string } }) => {
                if (error.cause?.code === 'ECONNREFUSED') throw error;
              },
            ),
          ]);
          if (answers.every(({ status }) => status === 'fulfilled')) answering.push(host);
        }
        assert.deepEqual(answering, make === 'daprd' ? (daprds ?? heard) : heard);
      });
    }

    test('none that this machine has', async (t) => {
      const flags = { 'dapr-listen-addresses': '203.0.113.7' };
      const sidecar = await startFlagged(executable, { flags, wait: false });
      t.after(() => sidecar.stop());
      const [status] = await sidecar.exited;
      assert.equal(status, 1);
      const words =
        make === 'daprd'
          ? /could not listen on any endpoint/
          : /this machine has no address 203\.0\.113\.7; name one that it has \(--dapr-listen-addresses\), or 127\.0\.0\.1\./;
      assert.match(sidecar.said(), words);
    });
  });
}
