import type { Clock } from '@holdfast/core';
import type { Answer, DrillRequest } from '../load/http-client.ts';
import { burst, startTraffic } from '../load/load.ts';
import { steadyTraffic } from '../load/steady-traffic.ts';
import { type Desk, submit } from '../load/submission.ts';
import { answerText, curlLines } from '../transcript/curl-lines.ts';
import type { Transcript } from '../transcript/transcript.ts';
import type { DrillRun } from './drill.ts';
import type { Faults } from './faults.ts';
import { pollUntil } from './poll-until.ts';
import type { ProcessControl } from './process-control.ts';
import { reachGoals } from './reach-goals.ts';

export interface PerformEnv {
  readonly desk: Desk;
  readonly clock: Clock;
  readonly control: ProcessControl;
  readonly faults: Faults;
  readonly transcript: Transcript;
}

export interface Performance extends DrillRun {
  /** Ends the background load that the script left running. */
  stopTraffic(): Promise<void>;

  /** When the end of the last fault was ordered; undefined if the script mended nothing. */
  mendedAtMs(): number | undefined;
}

/** The steps of a script, tied to a real system. */
export function perform({ desk, clock, control, faults, transcript }: PerformEnv): Performance {
  const { note } = transcript;
  const { http, signal } = desk;
  const traffic = steadyTraffic(transcript);
  const startedMs = clock.now();
  let mendedAtMs: number | undefined;

  const show = (request: DrillRequest, answer: Answer): Answer => {
    const { status, tookMs } = answer;
    const curl = curlLines(http.baseUrl, request);
    note({ kind: 'requested', curl, status, answer: answerText(answer), tookMs });
    signal.throwIfAborted();
    return answer;
  };

  const mended = async (how: string, work: () => Promise<unknown>): Promise<void> => {
    note({ kind: 'mended', how });
    mendedAtMs = clock.now();
    await work();
    signal.throwIfAborted();
  };

  return {
    clock,
    signal,
    http,
    control,
    faults,
    say: (text) => note({ kind: 'said', text }),
    request: async (request) => show(request, await http.send(request, signal)),
    async submit(submission) {
      const { request, answer } = await submit(desk, submission);
      return show(request, answer);
    },
    submitQuietly: async (submission) => (await submit(desk, submission)).answer,
    async kill(...names) {
      for (const name of names) {
        signal.throwIfAborted();
        const pid = await faults.kill(name);
        note({ kind: 'broke', how: `holdfast kill ${name}`, detail: `SIGKILL to pid ${pid}` });
      }
    },
    start: (...names) =>
      mended(`holdfast start ${names.join(' ')}`, () =>
        Promise.all(names.map((name) => faults.start(name))),
      ),
    async pause(name) {
      const pid = await faults.pause(name);
      note({ kind: 'broke', how: `kill -STOP ${pid}`, detail: `${name}: alive and silent` });
    },
    resume: (name) => mended(`kill -CONT   # ${name}`, () => faults.resume(name)),
    hold(how, what, release) {
      const end = faults.hold(what, release);
      note({ kind: 'broke', how, detail: what });
      return () => mended(`release ${what}`, end);
    },
    check(sentence, ok, seen) {
      const shown = ok || seen === undefined ? {} : { seen: inWords(seen) };
      note({ kind: 'checked', sentence, ok, ...shown });
    },
    async waitUntil(sentence, probe, options) {
      const polled = await pollUntil(probe, options ?? {}, { clock, signal });
      note({ kind: 'waited', sentence, ...polled });
      if (!polled.ok) throw new Error('The script ends here: it waited in vain.');
    },
    async recovered(goals, options) {
      const fromMs = mendedAtMs ?? startedMs;
      const { missed, tookMs } = await reachGoals(goals, options, { clock, signal, fromMs });
      note({ kind: 'recovered', goals: tookMs });
      if (missed.length > 0) throw new Error(`Did not recover: ${missed.join(', ')}`);
    },
    async burst(submission, count) {
      const summary = await burst(desk, clock, { submission, count });
      note({ kind: 'loaded', what: `${count} requests at once`, summary });
      signal.throwIfAborted();
      return summary;
    },
    traffic: (submission, perSecond) =>
      traffic.begin(startTraffic(desk, clock, { submission, perSecond }), perSecond),
    stopTraffic: () => traffic.stopAll(),
    mendedAtMs: () => mendedAtMs,
  };
}

function inWords(seen: unknown): string {
  return typeof seen === 'string' ? seen : (JSON.stringify(seen) ?? String(seen));
}
