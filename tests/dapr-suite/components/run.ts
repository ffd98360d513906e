// Dapr's conformance suite of components against our sidecar: see ../README.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { commandLine } from '../../../scripts/command-line.ts';
import { holdfastd } from '../holdfastd.ts';
import { buildComponents } from './build-components.ts';
import { COMPONENTS, type Component, nameOf } from './components.ts';
import { runComponent } from './run-component.ts';
import { type ServerHere, type ServerName, START } from './servers.ts';

const root = path.resolve(import.meta.dirname, '../../..');
const { values, positionals } = commandLine({
  options: { daprd: { type: 'string' }, list: { type: 'boolean' } },
  allowPositionals: true,
});
const work = mkdtempSync(path.join(tmpdir(), 'holdfast-components-'));
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopped.abort());
const servers = new Map<ServerName, ServerHere | string>();
try {
  if (values.list === true) for (const one of COMPONENTS) console.log(nameOf(one));
  else process.exitCode = await main(choose());
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
  for (const server of servers.values()) if (typeof server !== 'string') await server.end();
}

/** @returns the exit status: 1 when a case failed. */
async function main(chosen: readonly Component[]): Promise<number> {
  const suite = buildComponents();
  const sidecar = values.daprd === undefined ? holdfastd(work) : path.resolve(values.daprd);
  const logs = path.join(root, '.holdfast/dapr-suite/components');
  let [cases, passed] = [0, 0];
  for (const component of chosen) {
    const server =
      component.oursAlone && values.daprd !== undefined
        ? 'it is ours alone'
        : await serverOf(component);
    if (typeof server === 'string') {
      console.log(`${nameOf(component)}: left out, ${server}`);
      continue;
    }
    const run = { sidecar, places: server?.addresses ?? {}, logs, signal: stopped.signal };
    const verdicts = await runComponent(suite, component, run);
    if (stopped.signal.aborted) break;
    const good = [...verdicts].filter(([, one]) => one === 'passed' || one === 'skipped');
    console.log(`${nameOf(component)}: ${good.length} of ${verdicts.size} passed`);
    for (const [name, verdict] of verdicts) {
      if (verdict !== 'passed' && verdict !== 'skipped')
        console.log(`  ${verdict.toUpperCase()} ${name}`);
    }
    cases += Math.max(verdicts.size, 1);
    passed += good.length;
  }
  console.log(`\n${passed} of ${cases} passed; ${path.relative(root, logs)} has what they printed`);
  if (stopped.signal.aborted) console.log('Stopped: the others were not run.');
  return passed === cases && !stopped.signal.aborted ? 0 : 1;
}

/** Each is started when the first component needs it, and is there until the end. */
async function serverOf({ server }: Component): Promise<ServerHere | string | undefined> {
  if (server === undefined) return undefined;
  const running = servers.get(server) ?? (await START[server]());
  servers.set(server, running);
  return running;
}

/** Those whose names match one of the arguments; all without arguments. */
function choose(): readonly Component[] {
  if (positionals.length === 0) return COMPONENTS;
  const patterns = positionals.map((one) => new RegExp(one));
  const chosen = COMPONENTS.filter((one) => patterns.some((pattern) => pattern.test(nameOf(one))));
  if (chosen.length > 0) return chosen;
  throw new Error(`No component matches ${positionals.join(' ')}; --list names all.`);
}
