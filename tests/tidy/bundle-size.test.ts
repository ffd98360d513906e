import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { bundleBytes } from '../../bench/core/bundle-size.ts';

const README = new URL('../../packages/core/README.md', import.meta.url);

test('core weighs no more than its README says: all of it, a pipeline, and a pipeline with each policy', async () => {
  const said = await saidKilobytes();
  const heavier: Record<string, string> = {};
  for (const [exports, kilobytes] of Object.entries(said)) {
    const code = `export ${exports} from '@holdfast/core'`;
    const weighed = (await bundleBytes(code)) / 1_000;
    // What is said has one digit after the point. (Half a digit more, and a byte for the sum of two fractions.)
    if (weighed > kilobytes + 0.051) heavier[code] = `${weighed} kB, and not ${kilobytes}`;
  }
  assert.deepEqual(heavier, {});
  assert.equal(Object.keys(said).length, 15, `too few figures were found: ${Object.keys(said)}`);
});

/** The figures of the README, in kB of 1,000 bytes, by what a bundle exports. */
async function saidKilobytes(): Promise<Readonly<Record<string, number>>> {
  const [, text = ''] = (await readFile(README, 'utf8')).split('**What it weighs**');
  const all = /([\d.]+) kB with all exports/.exec(text)?.[1];
  const alone = /`pipeline` alone ([\d.]+) kB/.exec(text)?.[1];
  const [policies = [], , figures = []] = text
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) => line.split('|').slice(1, -1));
  return {
    '*': Number(all),
    '{ pipeline }': Number(alone),
    ...Object.fromEntries(
      policies.map((policy, at) => [`{ pipeline, ${policy.trim()} }`, Number(figures[at])]),
    ),
  };
}
