import type { LoadSummary } from '../load/load.ts';
import { isBad, type Step } from './step.ts';

/** A step as a person reads it: the time, what was done, what came back, a sentence with ✅ or ❌. */
export function stepLines(step: Step): readonly string[] {
  const [first = '', ...rest] = describe(step);
  return [`${stamp(step.atMs)}  ${first}`, ...rest.map((line) => `${' '.repeat(10)}${line}`)];
}

/** Seconds since the drill began, in ten columns' width with what follows. */
function stamp(atMs: number): string {
  return `t=${(atMs / 1_000).toFixed(1)}s`.padEnd(8);
}

function describe(step: Step): readonly string[] {
  const mark = isBad(step) ? '❌' : '✅';
  switch (step.kind) {
    case 'said':
      return [`# ${step.text}`];
    case 'requested': {
      const status = step.status === 0 ? 'no answer:' : `${step.status}`;
      return [...step.curl, `→ ${status} ${step.answer}   (${milliseconds(step.tookMs)})`];
    }
    case 'broke':
      return [`${step.how}   # ${step.detail}`];
    case 'mended':
      return step.problem === undefined
        ? [step.how]
        : [step.how, `❌ That did not work: ${step.problem}`];
    case 'waited':
      return step.ok
        ? [`${mark} ${step.sentence} (after ${milliseconds(step.tookMs)})`]
        : [
            `${mark} Not within ${milliseconds(step.tookMs)}: ${step.sentence}`,
            ...seenLines(step.missing),
          ];
    case 'checked':
      return [`${mark} ${step.sentence}`, ...seenLines(step.seen)];
    case 'loaded':
      return [step.what, ...summaryLines(step.summary)];
    case 'recovered': {
      const goals = Object.entries(step.goals).map(([goal, ms]) => `${goal} ${milliseconds(ms)}`);
      return [`recovery, from the end of the fault: ${goals.join(' · ')}`];
    }
    case 'failed':
      return [`❌ ${step.problem}`];
  }
}

const seenLines = (seen: string | undefined): readonly string[] =>
  seen === undefined ? [] : [`seen: ${seen}`];

function summaryLines(summary: LoadSummary): readonly string[] {
  const { sent, accepted, refused, unknown, skipped, statuses, latency, tookMs } = summary;
  const perStatus = Object.entries(statuses).map(([status, count]) => `${status} × ${count}`);
  const { p50Ms, p95Ms, p99Ms, maxMs } = latency;
  return [
    `→ ${sent} sent in ${milliseconds(tookMs)}: ${perStatus.join(', ') || 'nothing'}`,
    `accepted ${accepted} · refused ${refused} · without a clear answer ${unknown}${skipped > 0 ? ` · not sent ${skipped}` : ''}`,
    `latency p50 ${milliseconds(p50Ms)} · p95 ${milliseconds(p95Ms)} · p99 ${milliseconds(p99Ms)} · max ${milliseconds(maxMs)}`,
  ];
}

/** Whole milliseconds, thousands apart. */
export function milliseconds(ms: number): string {
  return `${Math.round(ms).toLocaleString('en-US')} ms`;
}
