import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type FoundRun, pickRun, type RunQuery } from './find-run.ts';

const SHOP = found('shop', '/shop/dapr.yaml', '/shop');
const BANK = found('bank', '/bank/dapr.yaml', '/bank');
const SHOP_2 = found('shop-2', '/shop/dapr.yaml', '/shop');
const DEAD = { ...found('old', '/old/dapr.yaml', '/old'), live: false };

const CASES: readonly (readonly [
  what: string,
  runs: readonly FoundRun[],
  query: Partial<RunQuery>,
  picked: string,
])[] = [
  ['the only one', [SHOP], {}, 'shop'],
  ['the one of the current folder', [SHOP, BANK], { cwd: '/bank' }, 'bank'],
  ['the one of a run file', [SHOP, BANK], { file: '/bank/dapr.yaml' }, 'bank'],
  ['the one of a folder', [SHOP, BANK], { file: '../shop', cwd: '/bank' }, 'shop'],
  ['the one of a name', [SHOP, SHOP_2], { name: 'shop-2' }, 'shop-2'],
  ['the one that lives', [DEAD, SHOP], {}, 'shop'],
  ['the dead one when it is named', [DEAD, SHOP], { name: 'old' }, 'old'],
  ['the dead one when it is alone', [DEAD], {}, 'old'],
];

describe('a command means', () => {
  for (const [what, runs, query, picked] of CASES) {
    test(what, () => {
      assert.equal(pickRun(runs, { cwd: '/', ...query }).record.name, picked);
    });
  }

  test('nothing where nothing runs, and says how to start something', () => {
    assert.throws(() => pickRun([], { cwd: '/' }), {
      code: 'NO_RUN',
      message: 'Nothing is running; start something with `holdfast run`.',
    });
  });

  test('none of several, and lists them', () => {
    assert.throws(() => pickRun([SHOP, BANK], { cwd: '/' }), {
      code: 'AMBIGUOUS_RUN',
      message:
        'There are 2 runs; say which with --run NAME or -f FILE:\n  shop  /shop/dapr.yaml\n  bank  /bank/dapr.yaml',
    });
  });

  test('no run of another name, and lists those there are', () => {
    assert.throws(() => pickRun([DEAD], { cwd: '/', name: 'shop' }), {
      code: 'NO_RUN',
      message:
        'There is no run named "shop". There is:\n  old  /old/dapr.yaml  (its supervisor was killed; `holdfast stop` ends the rest)',
    });
  });
});

function found(name: string, file: string, dir: string): FoundRun {
  return {
    folder: `/runs/${name}`,
    live: true,
    record: {
      version: 1,
      name,
      file,
      dir,
      supervisor: { pid: 1, identity: '1' },
      control: { socket: '/s', token: 't' },
      processes: [],
    },
  };
}
