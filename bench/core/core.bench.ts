import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { installPeers } from '../peer.ts';
import { bundleBytes, moduleBytes } from './bundle-size.ts';
import {
  CONTESTANTS,
  callBare,
  callFour,
  idleBreaker,
  idlePipeline,
  prepare,
  rest,
} from './contestants.ts';
import { benchPolicies } from './policies.ts';
import { timeCalls } from './time-calls.ts';
import { bytesKept, bytesPerCall } from './weigh.ts';

const ROUNDS = 11;
const BARE = 'bare await, with a call context';

/** Prints what the engine costs, beside calling bare and beside the rivals, in one run. */
export async function run(): Promise<void> {
  console.log(surroundings());
  await prepare();
  const ns = await timeCalls(CONTESTANTS, ROUNDS);
  rest();
  showTimes(ns);
  await showFigures(ns);
  await showWeights();
  installPeers();
  benchPolicies();
  await showModules();
}

type Times = Awaited<ReturnType<typeof timeCalls>>;

function showTimes(ns: Times): void {
  const bareNs = ns.get(BARE) ?? Number.NaN;
  console.log('\n| one call in flight | ns | × bare |\n|---|---:|---:|');
  for (const [name, each] of ns) {
    console.log(`| ${name} | ${each.toFixed(0)} | ${(each / bareNs).toFixed(1)} |`);
  }
}

async function showFigures(ns: Times): Promise<void> {
  const ratio = (over: string, under: string) =>
    (ns.get(over) ?? Number.NaN) / (ns.get(under) ?? 0);
  const four = 'four policies';
  const refused = 'refused by an open circuit';
  const fourBytes = await bytesPerCall(callFour, 1_000);
  const bareBytes = await bytesPerCall(callBare, 1_000);
  const pipelineOnly = bytesKept(idlePipeline, 5_000);
  const breakerToo = bytesKept(idleBreaker, 5_000);
  // Only now: what bundles leaves a heap behind that is hard to weigh in.
  const all = await bundleBytes(`export * from '@holdfast/core'`);
  const beside = await bundleBytes(`export { pipeline, retry } from '@holdfast/core'`);
  const alone = await bundleBytes(`export { retry } from '@holdfast/core'`);
  const lines: ReadonlyArray<readonly [string, number, string]> = [
    ['four policies / bare await', ratio(four, BARE), '≤ 5'],
    [
      'cockatiel, cooperative / four policies',
      ratio('cockatiel’s four, cooperative', four),
      '≥ 30',
    ],
    ['cockatiel, aggressive / four policies', ratio('cockatiel’s four, aggressive', four), ''],
    ['refusal / cockatiel’s', ratio(refused, 'cockatiel, refused'), '≤ 0.25'],
    ['refusal / opossum’s', ratio(refused, 'opossum, refused'), '≤ 0.25'],
    ['bytes a call through four policies allocates, all included', fourBytes, ''],
    ['of these by a bare call: the function’s promise and the await', bareBytes, ''],
    ['so the four policies add, bytes per call', fourBytes - bareBytes, '≤ 700'],
    ['idle breaker, bytes', breakerToo - pipelineOnly, '≤ 1024'],
    ['a pipeline around it, bytes', pipelineOnly, ''],
    ['core, min + gzip, bytes', all, '≤ 10000'],
    ['retry and a pipeline, min + gzip, bytes', beside, ''],
    ['retry alone, min + gzip, bytes', alone, '≤ 2500'],
  ];
  console.log('\n| figure | measured | wanted |\n|---|---:|---:|');
  for (const [name, value, wanted] of lines) {
    console.log(`| ${name} | ${value.toFixed(value < 100 ? 2 : 0)} | ${wanted} |`);
  }
}

async function showWeights(): Promise<void> {
  console.log('\n| with `pipeline` | min + gzip, bytes | alone |\n|---|---:|---:|');
  for (const policy of POLICIES) {
    const beside = await bundleBytes(`export { pipeline, ${policy} } from '@holdfast/core'`);
    const alone = await bundleBytes(`export { ${policy} } from '@holdfast/core'`);
    console.log(`| ${policy} | ${beside} | ${alone} |`);
  }
}

async function showModules(): Promise<void> {
  console.log('\n| core’s largest modules | minified bytes |\n|---|---:|');
  for (const [module, bytes] of await moduleBytes(`export * from '@holdfast/core'`, 15)) {
    console.log(`| ${module} | ${bytes} |`);
  }
}

const POLICIES = [
  'retry',
  'timeout',
  'deadline',
  'circuitBreaker',
  'bulkhead',
  'rateLimit',
  'adaptiveLimit',
  'throttle',
  'shed',
  'hedge',
  'fallback',
  'cache',
  'fault',
];

/** What the figures depend on. */
function surroundings(): string {
  const cpu = cpus();
  const version = (library: string) =>
    (
      JSON.parse(readFileSync(`node_modules/${library}/package.json`, 'utf8')) as {
        version: string;
      }
    ).version;
  return [
    `machine: ${cpu.length} × ${cpu[0]?.model ?? 'unknown'}, ${process.platform} ${process.arch}`,
    `versions: node ${process.versions.node}, cockatiel ${version('cockatiel')}, opossum ${version('opossum')}`,
    `commit: ${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain') === '' ? '' : ' and uncommitted changes'}`,
  ].join('\n');
}

const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim();
