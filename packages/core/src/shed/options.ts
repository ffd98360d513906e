import {
  checkBoolean,
  checker,
  checkMethods,
  checkName,
  checkNumber,
  checkOptions,
} from '../check.ts';
import { CRITICALITIES, type Criticality } from '../policy.ts';
import type { LoadProbe } from './load-probe.ts';

export interface ShedOptions {
  /** Names this policy in events, metrics and errors. @default 'shed' */
  readonly name?: string;
  /** What measures the load. @default how late the event loop's timers are, in milliseconds */
  readonly probe?: LoadProbe | undefined;
  /**
   * Calls of a criticality are refused from this load on; `Infinity` never.
   *
   * @default sheddable 50, sheddable-plus 100, critical 250 ms, critical-plus never (0 … Infinity; who matters less has no more)
   */
  readonly from?: Readonly<Partial<Record<Criticality, number>>>;
  /** They are let in again when the load has fallen to this part of it. @default 0.5 (0 … 1) */
  readonly until?: number;
  /**
   * Beside the load: refuses what is not critical-plus while more calls are
   * inside than the best throughput and the best latency of late can explain
   * (Sentinel's BBR rule: inside > most calls a second × least milliseconds / 1000).
   *
   * @default false
   */
  readonly bbr?: boolean;
}

export interface ResolvedShedOptions extends Required<Omit<ShedOptions, 'from'>> {
  readonly from: Readonly<Record<Criticality, number>>;
}

export const SHED_DEFAULTS = {
  name: 'shed',
  probe: undefined,
  from: { 'critical-plus': Infinity, critical: 250, 'sheddable-plus': 100, sheddable: 50 },
  until: 0.5,
  bbr: false,
} as const;

/** Fills in defaults and rejects nonsense now, while the stack still points at its author. */
export function resolveShedOptions(given: ShedOptions): ResolvedShedOptions {
  const told = checkOptions('shed', given, SHED_DEFAULTS);
  const options = { ...told, from: checkOptions('shed.from', told.from, SHED_DEFAULTS.from) };
  const check = checker('shed', options);
  check(checkName, 'name');
  check(checkNumber, 'until', 0, 1);
  check(checkBoolean, 'bbr');
  for (const [at, each] of CRITICALITIES.entries()) {
    checkNumber(`shed.from.${each}`, options.from[each], 0, Infinity);
    const before = CRITICALITIES[at - 1];
    if (before !== undefined && options.from[each] > options.from[before]) {
      throw new RangeError(
        `shed.from.${each} must not be more than shed.from.${before} (${options.from[before]}), not ${options.from[each]}: who matters less goes first.`,
      );
    }
  }
  check(checkMethods, 'probe', 'load');
  return options;
}
