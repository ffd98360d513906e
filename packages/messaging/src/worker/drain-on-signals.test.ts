import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drainOnSignals } from './drain-on-signals.ts';

test('what was given is ended in its order, with the grace, then the process exits with 0', async () => {
  const { process, log, settled } = world();
  drainOnSignals([stopped(log, 'worker'), closed(log, 'jobs')], process, { graceMs: 500 });
  process.signal('SIGTERM');
  await settled();

  assert.deepEqual(log, ['stop worker 500', 'close jobs', 'exit 0']);
});

test('what cannot be ended makes it exit with 1, and the others are ended all the same', async () => {
  const { process, log, settled } = world();
  const stuck = { close: () => Promise.reject(new Error('disk')) };
  drainOnSignals([stuck, closed(log, 'jobs')], process);
  process.signal('SIGINT');
  await settled();

  assert.deepEqual(log, ['close jobs', 'exit 1']);
});

test('a second signal does not wait', async () => {
  const { process, log, settled } = world();
  drainOnSignals({ stop: () => new Promise<void>(() => {}) }, process);
  process.signal('SIGTERM');
  await settled();
  assert.deepEqual(log, []);
  process.signal('SIGTERM');

  assert.deepEqual(log, ['exit 1']);
});

test('its listeners can be taken away', () => {
  const { process, log } = world();
  const off = drainOnSignals(stopped(log, 'worker'), process, { signals: ['SIGUSR2'] });
  assert.equal(process.heard.size, 1);
  off();

  assert.equal(process.heard.size, 0);
});

function world() {
  const log: string[] = [];
  const heard = new Map<string, () => void>();
  const process = {
    heard,
    on: (signal: string, listener: () => void) => heard.set(signal, listener),
    off: (signal: string) => heard.delete(signal),
    exit: (code: number) => void log.push(`exit ${code}`),
    signal: (name: string) => heard.get(name)?.(),
  };
  const settled = () => new Promise<void>((resolve) => setImmediate(resolve));
  return { process, log, settled };
}

function stopped(log: string[], name: string) {
  return {
    stop: async ({ graceMs }: { graceMs?: number } = {}) =>
      void log.push(`stop ${name}${graceMs === undefined ? '' : ` ${graceMs}`}`),
  };
}

function closed(log: string[], name: string) {
  return { close: async () => void log.push(`close ${name}`) };
}
