import type { CallRatio } from '../call-ratio.ts';
import { CountWindow } from './count-window.ts';
import { TimeWindow } from './time-window.ts';

/** The last calls, and how many of them were bad: failed, or slow. */
export interface RatioWindow {
  record(isBad: boolean, nowMs: number): void;
  total(nowMs: number): WindowTotal;
  clear(): void;
}

export interface WindowTotal {
  readonly calls: number;
  readonly bad: number;
}

/** The window that a rule looks at: the last so many calls, or those of the last so many milliseconds. */
export const windowFor = (rule: CallRatio): RatioWindow =>
  rule.windowCalls === undefined
    ? new TimeWindow(rule.windowMs)
    : new CountWindow(rule.windowCalls);
