import type { Logger } from '@holdfast/telemetry/log';

/** What a connection string says and nobody here does is told of once, by name; its values may be secrets. */
export function warnUnheeded(log: Logger, component: string, names: readonly string[]): void {
  if (names.length === 0) return;
  log.warn(`component ${component}: ${names.join(', ')} of its connection have no effect.`);
}
