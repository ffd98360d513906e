import type { ComponentSettings } from '../../components/component-settings.ts';

/**
 * Whether events are in the application one after another. Dapr's documents call it `concurrency`, its code
 * `concurrencyMode`, and what holds where neither is given differs by broker.
 *
 * @throws Error that names the item and what may stand there.
 */
export function oneAtATime(settings: ComponentSettings, unset: 'single' | 'parallel'): boolean {
  const name = settings.text('concurrencyMode') === undefined ? 'concurrency' : 'concurrencyMode';
  const text = settings.text(name) ?? unset;
  if (text === 'single' || text === 'parallel') return text === 'single';
  throw new Error(
    `component ${settings.component}: metadata ${name} must be single or parallel, not "${text}"`,
  );
}
