import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { startStandIn } from '../testing/start-stand-in.ts';
import { createFaults, type Faults } from './faults.ts';
import { isAlive } from './process-control.ts';

describe('faults', () => {
  test('a kill is over when the operating system no longer knows the process', async (t) => {
    const { faults } = await withFaults(t);

    const pid = await faults.kill('service');

    assert.equal(isAlive(pid), false);
    assert.deepEqual(faults.active(), ['service killed']);
  });

  test('a paused process is silent, keeps its connections, and answers when it is resumed', async (t) => {
    const { faults, baseUrl } = await withFaults(t);
    await faults.pause('service');

    const asking = fetch(baseUrl);
    const first = await Promise.race([asking, aMoment().then(() => 'silence')]);
    await faults.resume('service');

    assert.equal(first, 'silence');
    assert.equal((await asking).status, 200);
    assert.deepEqual(faults.active(), []);
  });

  test('all is mended in the opposite order, also when mending one of them fails', async (t) => {
    const { faults } = await withFaults(t);
    const mended: string[] = [];
    faults.hold('first', async () => void mended.push('first'));
    faults.hold('stuck', () => Promise.reject(new Error('no key')));
    await faults.kill('service');
    faults.hold('last', async () => void mended.push('last'));

    const undone = await faults.undoAll();

    assert.deepEqual(
      undone.map(({ what, error }) => [what, (error as Error | undefined)?.message]),
      [
        ['last', undefined],
        ['service killed', undefined],
        ['stuck', 'no key'],
        ['first', undefined],
      ],
    );
    assert.deepEqual(mended, ['last', 'first']);
  });

  test('what was ended by hand is not ended again', async (t) => {
    const { faults } = await withFaults(t);
    let times = 0;
    const end = faults.hold('lock', async () => {
      times += 1;
    });

    await end();
    await end();
    await faults.undoAll();

    assert.equal(times, 1);
  });

  test('two faults of one name are two: the first was never mended', async (t) => {
    const { faults } = await withFaults(t);
    const mended: string[] = [];
    const end = faults.hold('lock', async () => void mended.push('first'));
    faults.hold('lock', async () => void mended.push('second'));

    assert.deepEqual(faults.active(), ['lock', 'lock']);
    await end();
    await faults.undoAll();

    assert.deepEqual(mended, ['first', 'second']);
  });

  test('a process that is paused twice is resumed once', async (t) => {
    const { faults, baseUrl } = await withFaults(t);
    const listeners = process.listenerCount('exit');
    await faults.pause('service');
    await faults.pause('service');
    await faults.resume('service');

    assert.equal((await fetch(baseUrl)).status, 200);
    assert.equal(process.listenerCount('exit'), listeners);
  });

  test('a process that is down cannot be killed', async (t) => {
    const { faults } = await withFaults(t);
    await faults.kill('service');

    await assert.rejects(faults.kill('service'), {
      message: 'service is down already, so there is nothing to break.',
    });
  });
});

async function withFaults(t: TestContext): Promise<{ faults: Faults; baseUrl: string }> {
  const standIn = await startStandIn('durable');
  t.after(() => standIn.stop());
  return { faults: createFaults(standIn.control), baseUrl: standIn.baseUrl };
}

const aMoment = () => new Promise((resolve) => setTimeout(resolve, 50));
