/**
 * `npm test`: the whole truth, the same everywhere. `npm run check` (`--fast`) is
 * the part of it that takes less than two minutes. Words after the flags
 * (`npm test -- core messaging`) keep the stages whose name contains one of them.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readTestReport, type TestReport } from './test-report.ts';

interface Stage {
  readonly name: string;
  readonly fast: boolean;
  readonly command: readonly string[];
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Processes, of which a run starts more than a thousand, find their modules compiled: TypeScript and
 * all, a start takes 0.3 s of processor in place of 0.7 s. Known by path and content, so never stale.
 */
const COMPILED = fileURLToPath(
  new URL('../node_modules/.cache/holdfast-compiled', import.meta.url),
);

/** A stage that hangs is a failure, with its name, long before CI's own limit. */
const STAGE_LIMIT_MS = 12 * 60_000;

/** So is a test: node:test waits without end for a promise that nothing will ever settle. */
const TEST_LIMIT_MS = STAGE_LIMIT_MS - 60_000;

/**
 * Real servers, killed under load on two cores, are seldom late in one of thousands of tests. So few files of
 * a stage may fail once, and are named at the end: docs/decisions/0014.
 */
const MOST_HELD_AGAIN = 3;

/** Runs the test files that match, `abreast` files at a time (processes share two cores). */
function tests(name: string, fast: boolean, patterns: readonly string[], abreast = 2): Stage {
  const files = globSync([...patterns]).sort();
  if (files.length === 0)
    throw new Error(`Stage "${name}" has no test files: ${patterns.join(' ')}`);
  return { name, fast, command: testCommand(files, abreast) };
}

function testCommand(files: readonly string[], abreast: number): readonly string[] {
  const limits = [`--test-concurrency=${abreast}`, `--test-timeout=${TEST_LIMIT_MS}`];
  return [process.execPath, '--conditions=source', '--test', ...limits, ...files];
}

const stages: readonly Stage[] = [
  { name: 'format and lint', fast: true, command: ['biome', 'ci', '--error-on-warnings', '.'] },
  { name: 'types', fast: true, command: ['tsc', '-p', 'tsconfig.json'] },
  tests('tidy', true, [
    'tests/tidy/*.test.ts',
    'tests/dapr-suite/**/*.test.ts',
    'scripts/**/*.test.ts',
  ]),
  tests('core', true, ['packages/core/src/!(redis)/**/*.test.ts', 'packages/core/src/*.test.ts']),
  tests('config', true, ['packages/config/src/**/*.test.ts']),
  tests('telemetry', true, ['packages/telemetry/src/**/*.test.ts']),
  tests('http', true, ['packages/http/src/**/*.test.ts']),
  tests('servers', false, ['tests/servers/src/*.test.ts'], 1),
  tests('core with Redis', false, ['packages/core/src/redis/*.test.ts'], 1),
  tests('soak', false, ['tests/soak/**/*.test.ts'], 1),
  tests('packed', false, ['tests/packed/*.test.ts'], 1),
  // These wait for servers and sidecars more than they compute.
  tests('messaging', false, ['packages/messaging/src/**/*.test.ts'], 4),
  tests('drill', false, ['packages/drill/src/**/*.test.ts'], 1),
  tests('sidecar', false, ['packages/sidecar/src/**/*.test.ts']),
  tests('cli', false, ['packages/cli/src/**/*.test.ts'], 1),
  tests('fuzz', false, ['tests/fuzz/*.test.ts'], 1),
  tests('sdk', false, ['tests/sdk/*.test.ts'], 1),
  // As those of messaging.
  tests('conformance', false, ['tests/conformance/*/*.test.ts'], 4),
  tests('platform', false, ['examples/*/src/**/*.test.ts'], 1),
  tests('drills', false, ['tests/drills/*.test.ts'], 1),
];

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const fast = process.argv.includes('--fast');
const chosen = stages.filter(
  (stage) =>
    (!fast || stage.fast) &&
    (words.length === 0 || words.some((word) => stage.name.includes(word))),
);
if (chosen.length === 0) {
  console.error(`No stage matches. There are: ${stages.map((stage) => stage.name).join(', ')}.`);
  process.exit(1);
}

const counts: Counts = { passed: 0, failed: 0, skipped: 0 };
const broken: string[] = [];
const failing: string[] = [];
const shaky: string[] = [];
for (const stage of chosen) {
  const begunMs = performance.now();
  console.log(`\n━━ ${stage.name}`);
  const good = await hold(stage);
  const seconds = ((performance.now() - begunMs) / 1000).toFixed(1);
  console.log(`━━ ${stage.name}: ${good ? 'good' : 'FAILED'} (${seconds} s)`);
}
// Once more where a reader of the last lines finds them.
for (const failures of failing) console.error(`\n${failures}`);
if (shaky.length > 0) console.error(`\nFailed once, passed alone: mend ${shaky.join(', ')}.`);
if (broken.length > 0) console.error(`\nFailed: ${broken.join(', ')}.`);
// Stages without test files (lint, types) count as one each, so that the line below is never wrong about them.
console.log(
  `\n${counts.passed} passed, ${Math.max(counts.failed, broken.length)} failed, ${counts.skipped} skipped`,
);
process.exit(broken.length === 0 ? 0 : 1);

/** Holds one stage, its few failing files twice where it works with real servers, and keeps the books. */
async function hold(stage: Stage): Promise<boolean> {
  const { status, report } = await run(stage, stage.command);
  counts.passed += report.passed;
  counts.skipped += report.skipped;
  if (report.failures !== undefined) failing.push(`${stage.name}: ${report.failures}`);
  if (status === 0) return true;
  const files = report.failingFiles;
  if (!stage.fast && files.length > 0 && files.length <= MOST_HELD_AGAIN) {
    console.log(`━━ ${stage.name}: once more, alone: ${files.join(', ')}`);
    const again = await run(stage, testCommand(files, 1));
    if (again.status === 0) {
      counts.passed += report.failed;
      shaky.push(...files);
      return true;
    }
    if (again.report.failures !== undefined)
      failing.push(`${stage.name}, once more: ${again.report.failures}`);
  }
  counts.failed += report.failed;
  broken.push(stage.name);
  return false;
}

/** Runs a command of a stage with its output passed through. */
function run(
  stage: Stage,
  [command, ...args]: readonly string[],
): Promise<{ readonly status: number; readonly report: TestReport }> {
  return new Promise((resolve) => {
    const child = spawn(command!, args, {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILED },
    });
    const limit = setTimeout(() => {
      console.error(`Stage "${stage.name}" took longer than ${STAGE_LIMIT_MS / 60_000} minutes.`);
      child.kill('SIGKILL');
    }, STAGE_LIMIT_MS);
    let tail = '';
    child.stdout.on('data', (chunk: Buffer) => {
      process.stdout.write(chunk);
      tail = (tail + chunk.toString('utf8')).slice(-200_000);
    });
    const end = (status: number) => {
      clearTimeout(limit);
      resolve({ status, report: readTestReport(tail) });
    };
    child.on('error', (error) => {
      console.error(`${command}: ${error.message}`);
      end(1);
    });
    child.on('close', (status) => end(status ?? 1));
  });
}
