import type { CallRatio } from './call-ratio.ts';
import { type Circuit, clearAt, newWindows, type Rules } from './circuit.ts';
import { beginObserving, endObserving } from './transitions.ts';

/** Its rules have changed: what no longer fits them is set up anew, the state stays. */
export function applyRules(circuit: Circuit, nowMs: number, old: Rules, rules: Rules): void {
  if (circuit.kind === 'closed' && old.clearIntervalMs !== rules.clearIntervalMs) {
    circuit.untilMs = clearAt(nowMs, rules);
  }
  if (circuit.kind === 'open' && old.openMs !== rules.openMs) {
    const openForMs = (circuit.openForMs * rules.openMs) / old.openMs;
    circuit.untilMs += openForMs - circuit.openForMs;
    circuit.openForMs = openForMs;
  }
  circuit.windows = refitted(circuit, old, rules);
  if (circuit.shadow !== undefined) applyRules(circuit.shadow, nowMs, old, rules);
  if (old.observe && !rules.observe && circuit.untilMs === Infinity) {
    endObserving(circuit, 'it no longer only observes');
  }
  const isForced = circuit.kind === 'disabled' || circuit.kind.startsWith('forced');
  if (!old.observe && rules.observe && !isForced) {
    beginObserving(circuit, nowMs, Infinity, rules, 'from now on it only observes');
  }
}

/** The windows that still fit, with what is in them; the others new. */
function refitted({ windows }: Circuit, old: Rules, rules: Rules): Circuit['windows'] {
  const fresh = newWindows(rules);
  if (fresh === undefined || windows === undefined) return fresh;
  return {
    failures: fits(old.failureRatio, rules.failureRatio) ? windows.failures : fresh.failures,
    slow: fits(old.slowCalls, rules.slowCalls) ? windows.slow : fresh.slow,
  };
}

const fits = (old: CallRatio | undefined, rule: CallRatio | undefined) =>
  old?.windowMs === rule?.windowMs && old?.windowCalls === rule?.windowCalls;
