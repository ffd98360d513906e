import { parseDuration } from '@holdfast/config';
import type { ComponentSettings } from './component-settings.ts';
import { named } from './whole-number.ts';

/**
 * A duration in a component's metadata where a bare number is milliseconds, as Dapr has it in its
 * Redis components and their likes; `durationSetting` is for the others, where it is seconds.
 *
 * @throws Error that names component, item and value.
 */
export function milliseconds(settings: ComponentSettings, name: string, byDefault: number): number {
  const text = settings.text(name);
  if (text === undefined) return byDefault;
  const parsed = parseDuration(text);
  if ('ms' in parsed) return parsed.ms;
  throw new Error(
    `${named(settings, name)} "${text}" ${parsed.fault}; write 500ms, 15s or a number of milliseconds`,
  );
}
