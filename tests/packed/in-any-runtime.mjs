/**
 * What a user's program does with the installed package, in real time, in whatever runs it: Node,
 * Deno, Bun, a browser. What it saw is the same in each of them, and when it is done nothing keeps
 * the program alive.
 */
import {
  bulkhead,
  cache,
  circuitBreaker,
  deadline,
  hedge,
  keyedPipeline,
  pipeline,
  registry,
  retry,
  timeout,
} from '@holdfast/core';
import { virtualWorld } from '@holdfast/core/testing';
import { formatTraceparent, newTrace } from '@holdfast/core/trace';

const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const never = () => new Promise(() => {});
const down = () => Promise.reject(new Error('down'));
/** How a call ended. (`code` of a `DOMException` is a number that says little.) */
const codeOf = (promise) =>
  promise.then(
    (value) => `answered ${value}`,
    ({ code, name }) => (typeof code === 'string' ? code : name),
  );
const untilAborted = (signal) =>
  new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason));
  });

const scenes = {
  async 'a retry'() {
    const p = pipeline('retry', [retry({ maxRetries: 2, delayMs: 1 })]);
    return p.execute(({ attempt }) => (attempt < 3 ? down() : `attempt ${attempt}`));
  },

  async 'a time-out of a function that ignores its signal'() {
    const p = pipeline('timeout', [timeout({ limitMs: 30 })]);
    const beganMs = performance.now();
    let call;
    const code = await codeOf(
      p.execute((given) => {
        call = given;
        return never();
      }),
    );
    const early = performance.now() - beganMs < 30;
    return `${code}, signal aborted: ${call.signal.aborted}, early: ${early}`;
  },

  async 'a time-out that the function hears of'() {
    const p = pipeline('cooperative', [timeout({ limitMs: 20 })]);
    let reason;
    const code = await codeOf(
      p.execute(({ signal }) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason.code;
        });
        return never();
      }),
    );
    return `${code}, heard ${reason}`;
  },

  async 'an abort while a retry waits an hour'() {
    const p = pipeline('abort', [
      retry({ delayMs: 3_600_000, maxDelayMs: 3_600_000, jitter: 'none' }),
    ]);
    const caller = new AbortController();
    const reason = new Error('enough');
    let times = 0;
    setTimeout(() => caller.abort(reason), 20);
    const ended = await p
      .execute(
        () => {
          times += 1;
          return down();
        },
        { signal: caller.signal },
      )
      .catch((error) => error);
    return `its own reason: ${ended === reason}, called ${times} time`;
  },

  async 'a signal that is aborted already'() {
    let times = 0;
    const p = pipeline('aborted', [retry()]);
    const name = await codeOf(p.execute(() => (times += 1), { signal: AbortSignal.abort() }));
    return `${name}, called ${times} times`;
  },

  async 'a deadline'() {
    const p = pipeline('deadline', [deadline({ limitMs: 60 }), retry()]);
    let code;
    const [before, later] = await new Promise((looked) => {
      code = codeOf(
        p.execute(async (call) => {
          const first = call.remainingMs;
          // On a busy machine the deadline may have passed by then: it has fallen all the same.
          await after(5);
          looked([first, call.remainingMs]);
          return never();
        }),
      );
    });
    // `(now + 60) - now` is not always 60 to the last bit, where a clock stands still between two looks.
    return `${await code}, remainingMs falls: ${Math.round(before) <= 60 && later < before}`;
  },

  async 'a hedge beside a slow attempt'() {
    const p = pipeline('hedge', [hedge({ delayMs: 10 })]);
    let loser;
    const answer = await p.execute(async ({ attempt, signal }) => {
      if (attempt > 1) return `attempt ${attempt}`;
      return untilAborted(signal).catch((error) => {
        loser = error.name;
        throw error;
      });
    });
    await after(0);
    return `${answer}, the other ended with ${loser}`;
  },

  async 'a circuit'() {
    const open = async (openMs) => {
      const p = pipeline(`circuit of ${openMs} ms`, [
        circuitBreaker({ consecutiveFailures: 2, openMs }),
      ]);
      await codeOf(p.execute(down));
      await codeOf(p.execute(down));
      return p;
    };
    const refused = await codeOf((await open(60_000)).execute(() => 'not called'));
    const shortly = await open(20);
    await after(40);
    const probed = await shortly.execute(() => 'probed');
    return `${refused}; ${probed}, ${shortly.inspect().policies[0].circuit.state}`;
  },

  async 'a queue'() {
    const p = pipeline('queue', [bulkhead({ limit: 1, queueLimit: 1 })]);
    const order = [];
    const call = (name) =>
      codeOf(
        p.execute(async () => {
          order.push(name);
          await after(5);
          return name;
        }),
      );
    const ends = await Promise.all([call('a'), call('b'), call('c')]);
    return `${ends.join(', ')}; ran ${order.join(', ')}`;
  },

  async 'one fetch for three callers'() {
    const p = pipeline('cache', [cache()]);
    let fetches = 0;
    const get = () => p.execute(() => after(5).then(() => (fetches += 1)), { cacheKey: 'k' });
    const answers = await Promise.all([get(), get(), get()]);
    return `${answers.join(', ')}; then ${await get()}`;
  },

  async 'a pipeline for each host'() {
    const hosts = keyedPipeline('hosts', [circuitBreaker({ consecutiveFailures: 1 })], {
      maxKeys: 2,
    });
    await codeOf(hosts.execute(down, { key: 'a' }));
    return [
      await codeOf(hosts.execute(() => 1, { key: 'a' })),
      await codeOf(hosts.execute(() => 1, { key: 'b' })),
    ].join('; ');
  },

  async 'an hour on the virtual clock'() {
    const world = virtualWorld();
    const p = pipeline(
      'hour',
      [retry({ maxRetries: 1, delayMs: 3_600_000, maxDelayMs: 3_600_000, jitter: 'none' })],
      world.env,
    );
    const { error, tookMs } = await world.play(() => p.execute(down));
    return `${error.message} after ${tookMs} ms, left: ${world.left().length}`;
  },

  async 'a function behind a pipeline'() {
    const p = pipeline('wrapped', [retry()]);
    const price = p.wrap(async function price(_item, count) {
      return this.unit * count;
    });
    return `${price.name}/${price.length}: ${await price.call({ unit: 3 }, 'x', 4)}`;
  },

  async 'what is listed'() {
    const names = registry.list().map(({ name }) => name);
    return `${names.includes('wrapped')}, ${pipeline('e', [timeout({ limitMs: 7 })]).explain().worstCaseMs} ms`;
  },

  async 'a connection that is refused'() {
    const p = pipeline('refused', [retry({ maxRetries: 1, delayMs: 0 })]);
    const ends = [];
    for (const idempotent of [true, false]) {
      let attempts = 0;
      const ask = () => {
        attempts += 1;
        return fetch(refusing);
      };
      await p.execute(ask, { idempotent }).catch((error) => error);
      ends.push(attempts);
    }
    return `attempts ${ends.join(', where it is not idempotent ')}`;
  },

  async 'a trace'() {
    return /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/.test(formatTraceparent(newTrace(true)));
  },
};

/** Over a wait and a time-out, which are continued by a timer of everybody's. Browsers have nothing of the kind. */
async function asyncContext() {
  const hooks = globalThis.process?.getBuiltinModule?.('node:async_hooks');
  if (hooks === undefined) return 'none here';
  const who = new hooks.AsyncLocalStorage();
  const p = pipeline('context', [retry({ maxRetries: 2, delayMs: 1 }), timeout({ limitMs: 10 })]);
  const seen = [];
  const call = (name) =>
    who.run(name, () =>
      p.execute(({ attempt }) => {
        seen.push(who.getStore() === name);
        return attempt === 1 ? down() : attempt === 2 ? never() : name;
      }),
    );
  await Promise.all([call('ann'), call('bob')]);
  return `${seen.filter(Boolean).length} of ${seen.length} attempts in their caller's`;
}

/** An address where nobody listens. */
let refusing = '';

export async function playAll(address) {
  refusing = address;
  const saw = {};
  for (const [name, play] of Object.entries(scenes)) {
    saw[name] = await play().catch((error) => `FAILED: ${error?.stack ?? error}`);
  }
  saw['the async context'] = await asyncContext();
  return saw;
}
