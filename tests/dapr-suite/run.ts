// Dapr's own integration suite against our sidecar: see README.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { commandLine } from '../../scripts/command-line.ts';
import { buildSuite } from './build-suite.ts';
import { DIFFERENCES } from './differences.ts';
import { holdfastd } from './holdfastd.ts';
import { type ListedCase, listCases } from './list-cases.ts';
import { type Count, countOf, tableOf } from './report.ts';
import { runCases } from './run-cases.ts';
import { groupOf, whyElsewhere } from './scope.ts';

const root = path.resolve(import.meta.dirname, '../..');
const { values, positionals } = commandLine({
  options: { daprd: { type: 'string' }, list: { type: 'boolean' } },
  allowPositionals: true,
});
const work = mkdtempSync(path.join(tmpdir(), 'holdfast-dapr-suite-'));
const stopped = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopped.abort());
try {
  process.exitCode = await main();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  rmSync(work, { recursive: true, force: true });
}

/** @returns the exit status: 1 when a case failed that should not. */
async function main(): Promise<number> {
  const suite = buildSuite();
  const all = listCases(suite.folder);
  const ours = all.filter((one) => whyElsewhere(one) === undefined).map(({ name }) => name);
  const unknown = Object.keys(DIFFERENCES).filter((name) => !ours.includes(name));
  if (unknown.length > 0) {
    throw new Error(`differences.ts names what is no case of ours: ${unknown.join(', ')}.`);
  }
  if (values.list === true) return list(all);
  const chosen = choose(ours);
  const daprd = values.daprd ?? holdfastd(work);
  const groups = new Map<string, readonly Count[]>();
  for (const [group, names] of Map.groupBy(chosen, groupOf)) {
    groups.set(group, await runGroup(group, names));
    if (stopped.signal.aborted) break;
  }
  console.log(`\n${tableOf(groups)}`);
  if (stopped.signal.aborted) console.log('Stopped: what the table does not count was not run.');
  return [...groups.values()].flat().includes('unexpected') || stopped.signal.aborted ? 1 : 0;

  async function runGroup(group: string, names: readonly string[]): Promise<readonly Count[]> {
    const logFile = path.join(root, '.holdfast/dapr-suite', `${group.replaceAll('/', '-')}.log`);
    const options = { daprd, logFile, signal: stopped.signal };
    const verdicts = await runCases(suite, names, options);
    const counts = [...verdicts].map(([name, verdict]) => {
      const why = values.daprd === undefined ? DIFFERENCES[name] : undefined;
      const count = countOf(verdict, why);
      if (count === 'unexpected') console.log(`  ${verdict.toUpperCase()} ${name}`);
      else if (count !== 'passed') console.log(`  differs ${name}: ${why}`);
      else if (why) console.log(`  ${name} passes: it is no difference any more`);
      return count;
    });
    const passed = counts.filter((count) => count === 'passed').length;
    console.log(`${group}: ${passed} of ${names.length} passed; ${path.relative(root, logFile)}`);
    return counts;
  }
}

/** Those of ours whose names match one of the arguments; all without arguments. */
function choose(ours: readonly string[]): readonly string[] {
  if (positionals.length === 0) return ours;
  const patterns = positionals.map((one) => new RegExp(one));
  const chosen = ours.filter((name) => patterns.some((pattern) => pattern.test(name)));
  if (chosen.length > 0) return chosen;
  throw new Error(
    `No case of ours matches ${positionals.join(' ')}; \`npm run dapr-suite -- --list\` names all.`,
  );
}

function list(all: readonly ListedCase[]): number {
  for (const one of all) {
    const why = whyElsewhere(one);
    console.log(why === undefined ? one.name : `- ${one.name}: left out, ${why}`);
  }
  return 0;
}
