import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Ledger, openLedger } from './ledger.ts';
import { formatEntry, type LedgerEntry, parseLedger, sumLedger } from './ledger-entry.ts';

describe('the ledger', () => {
  test('has every acknowledged entry in its file, in order', async (t) => {
    const ledger = await ledgerIn(await directory(t));
    const entries = Array.from({ length: 500 }, (_, i) => accepted(`a${i}`));

    await Promise.all(entries.map((entry) => ledger.append(entry)));

    assert.deepEqual(parseLedger(await readFile(ledger.path, 'utf8')), entries);
    await ledger.close();
    assert.deepEqual(await ledger.read(), entries);
  });

  test('keeps what it acknowledged when the drill is killed at once', async (t) => {
    const path = join(await directory(t), 'ledger.jsonl');
    const drill = spawn(process.execPath, ['--conditions=source', APPENDER, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    drill.stdout.on('data', (chunk) => {
      said += chunk;
      if (said.split('\n').length > 20) drill.kill('SIGKILL');
    });
    await once(drill, 'close');

    const acknowledged = said.split('\n').slice(0, -1);
    const kept = sumLedger(parseLedger(await readFile(path, 'utf8'))).accepted;
    assert.ok(acknowledged.length >= 20);
    assert.deepEqual(
      acknowledged.filter((id) => !kept.has(id)),
      [],
    );
  });

  test('says so when its process dies, and takes nothing more', async (t) => {
    const ledger = await ledgerIn(await directory(t));
    await ledger.append(accepted('a'));

    process.kill(ledger.pid, 'SIGSTOP');
    const inFlight = ledger.append(accepted('b'));
    process.kill(ledger.pid, 'SIGKILL');

    await assert.rejects(inFlight, { code: 'LEDGER_GONE' });
    await assert.rejects(ledger.append(accepted('c')), { code: 'LEDGER_GONE' });
    assert.deepEqual(await ledger.read(), [accepted('a')]);
    await ledger.close();
  });

  test('refuses entries beyond its limit rather than hold them in memory', async (t) => {
    const ledger = await ledgerIn(await directory(t), 1);
    process.kill(ledger.pid, 'SIGSTOP');
    const first = ledger.append(accepted('a'));

    await assert.rejects(ledger.append(accepted('b')), { code: 'LEDGER_FULL' });

    process.kill(ledger.pid, 'SIGCONT');
    await first;
    await ledger.close();
  });
});

describe('a ledger file', () => {
  test('counts a torn last line as not written', () => {
    const text = formatEntry(accepted('a')) + formatEntry(accepted('b')).slice(0, -1);

    assert.deepEqual(parseLedger(text), [accepted('a')]);
  });

  test('is not believed when a line inside is damaged', () => {
    assert.throws(() => parseLedger(`{"kind":\n${formatEntry(accepted('a'))}`), {
      message: 'Line 1 of the ledger is damaged: {"kind":',
    });
  });

  test('leaves an attempt unknown until its answer is written', () => {
    const attempted = (attempt: string): LedgerEntry => ({
      kind: 'attempted',
      attempt,
      drill: 'd',
    });
    const sums = sumLedger([
      attempted('1'),
      attempted('2'),
      attempted('3'),
      { kind: 'refused', attempt: '2', drill: 'd', why: '503' },
      { kind: 'accepted', attempt: '3', drill: 'd', id: 'named-by-the-service' },
    ]);

    assert.deepEqual(sums, {
      accepted: new Set(['named-by-the-service']),
      refused: new Set(['2']),
      unknown: new Set(['1']),
    });
  });
});

const APPENDER = fileURLToPath(new URL('../testing/appender.ts', import.meta.url));

const accepted = (id: string): LedgerEntry => ({ kind: 'accepted', attempt: id, drill: 'd', id });

async function directory(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-ledger-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

function ledgerIn(directory: string, maxWaiting = 1_000): Promise<Ledger> {
  return openLedger({ path: join(directory, 'ledger.jsonl'), maxWaiting });
}
