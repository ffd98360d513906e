/**
 * How Node runs as a sidecar: what docs/operating/memory.md measures. Objects of a sidecar die within
 * a request.
 */
const FLAGS = [
  // A small young generation keeps memory small, and there is too little to save from it for several
  // threads. Waiting for them is what a collection costs (on two busy cores 0.4 ms in place of 0.8,
  // and 1 in place of 9 for one in ten).
  '--max-semi-space-size=4',
  '--no-parallel-scavenge',
];

/** Of the V8 in Node 22 and 24; a Node that knows one of them no more would not start. */
const FLAGS_TO_V8_13 = [
  // What the middle compiler has used is freed when it is done, not when a background thread has time
  // for it: on a busy machine that is after all the others, and 25 MB stay with the allocator for good.
  '--no-maglev-destroy-on-background',
  // V8 makes objects old from their birth where many of their kind have lived long. What those name lives on with them until
  // all is collected: under load most of a gRPC call, though it had ended (a third of the CPU went into that).
  '--no-allocation-site-pretenuring',
  // So few objects grow old now that the old generation may be collected when it is 1.6 times what lives, not four.
  '--heap-growing-percent=60',
];

/** Ten threads that each keep what they have freed hold 10 MB that nobody uses. Of glibc alone. */
const ENV = { MALLOC_ARENA_MAX: '1' };

/** Names, for the process itself, what of its environment is `ENV`'s and nobody's business. */
const TOLD = 'HOLDFAST_ALLOCATOR';

/** The flags of Node for a sidecar, but for those that `given` (and NODE_OPTIONS) has another value for. */
export function sidecarNodeFlags(given = [], nodeOptions = '', v8 = process.versions.v8) {
  const chosen = new Set([...given, ...nodeOptions.split(/\s+/)].map(subject));
  const known = Number.parseInt(v8, 10) <= 13 ? [...FLAGS, ...FLAGS_TO_V8_13] : FLAGS;
  return known.filter((flag) => !chosen.has(subject(flag)));
}

/** What a flag is about: `--no-maglev` and `--maglev`, `--a-b=1` and `--a_b=2`. */
function subject(flag) {
  return flag
    .replaceAll('_', '-')
    .replace(/^--(no-)?/, '')
    .replace(/=.*/, '');
}

/** `env` for a sidecar. Who has chosen an allocator's settings keeps them. */
export function sidecarEnv(env) {
  const chosen = 'MALLOC_ARENA_MAX' in env || (env.GLIBC_TUNABLES ?? '').includes('arena_max');
  return chosen ? env : { ...env, ...ENV, [TOLD]: Object.keys(ENV).join() };
}

/** Takes out of `env` what `sidecarEnv` has put there: it has been read, and is no secret for an application to ask for. */
export function forgetSidecarEnv(env) {
  for (const name of env[TOLD]?.split(',') ?? []) if (name in ENV) delete env[name];
  delete env[TOLD];
}
