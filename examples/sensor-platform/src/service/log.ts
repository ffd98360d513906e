import { type PolicyEvent, registry } from '@holdfast/core';
import { createLogger, type Logger } from '@holdfast/telemetry/log';

/**
 * The log of one service, on standard output, which also tells of every circuit
 * in the process that opens or closes: the moments an operator looks for.
 */
export function serviceLog(name: string): Logger {
  const log = createLogger({ write: (line) => process.stdout.write(line) }).child({
    app_id: name,
  });
  registry.listen((event: PolicyEvent) => {
    if (event.type !== 'circuit') return;
    const say = event.to === 'closed' ? log.info : log.warn;
    say(`Circuit "${event.pipeline}" went from ${event.from} to ${event.to}: ${event.why}`);
  });
  return log;
}

/** An error in one line: the stack is for programmers' mistakes, and these are outages. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
