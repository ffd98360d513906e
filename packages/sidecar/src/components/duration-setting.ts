import { type ParsedDuration, parseDuration } from '@holdfast/config';
import type { ComponentSettings } from './component-settings.ts';

/**
 * A duration in a component's metadata: `30s`, or a bare number of seconds (in a
 * Resiliency a bare number is milliseconds; components are older). The names
 * are the item's own, then those it had before.
 *
 * @throws Error that names component, item and value.
 */
export function durationSetting(
  settings: ComponentSettings,
  ...names: readonly string[]
): number | undefined {
  for (const name of names) {
    const text = settings.text(name);
    if (text === undefined) continue;
    const parsed = componentDuration(text);
    if (!('fault' in parsed)) return parsed.ms;
    throw new Error(
      `component ${settings.component}: metadata ${name} is "${text}", which ${parsed.fault}; write 500ms, 5s or 1m30s`,
    );
  }
  return undefined;
}

/** A text that stands for a duration in a component: Go's, or a bare number of seconds. */
export function componentDuration(text: string): ParsedDuration {
  return parseDuration(/^[+-]?\d+$/.test(text) ? `${text}s` : text);
}
