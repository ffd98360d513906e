import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rabbitServer } from '@holdfast/test-servers';
import { type SettleCounts, settleKill } from '../testing/outages/settle-kills.ts';
import { movingServer } from '../testing/servers/moving-server.ts';

/** Half a minute each, and one of them shows little: for figures, not for every run. */
const KILLS = Number(process.env.HOLDFAST_SETTLE_KILLS ?? 0);
/** For the figures of what it is good for: another `settleMs`, and nothing is asserted. */
const SETTLE = process.env.HOLDFAST_SETTLE_MS;

const { skip, suffers } =
  KILLS > 0
    ? await movingServer((folder) => rabbitServer(folder))
    : { skip: 'asked for with HOLDFAST_SETTLE_KILLS', suffers: undefined };

test(`${KILLS} kills of RabbitMQ cost no group anything whose subscribe has resolved`, {
  skip,
}, async (t) => {
  const sum = { groups: 0, unbound: 0, dead: 0, lost: 0 };
  for (let round = 1; round <= KILLS; round += 1) {
    const settleMs = SETTLE === undefined ? undefined : Number(SETTLE);
    const counts = await settleKill(suffers!, round, settleMs);
    for (const side of Object.keys(sum) as (keyof SettleCounts)[]) sum[side] += counts[side];
    t.diagnostic(`kill ${round}: ${JSON.stringify(counts)}`);
  }
  t.diagnostic(`settleMs ${SETTLE ?? 'by default'}: ${KILLS} kills, ${JSON.stringify(sum)}`);
  if (SETTLE !== undefined) return;
  assert.deepEqual({ ...sum, groups: 0 }, { groups: 0, unbound: 0, dead: 0, lost: 0 });
  assert.ok(sum.groups > 0);
});
