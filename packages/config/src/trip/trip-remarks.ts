import type { ASTNode, TypeCheckResult } from '@marcbachmann/cel-js';
import { TRIP_VARIABLES, type Trip, type TripFault } from './trip.ts';
import { walkCel } from './walk-cel.ts';

/** What is questionable about an expression that compiles; `checked` is how it does with the variables declared. */
export function tripRemarks(ast: ASTNode, trip: Trip, checked: TypeCheckResult): TripFault[] {
  const faults: TripFault[] = [];
  const { text } = trip;
  if (checked.valid && checked.type !== 'bool') {
    const message = `is of type ${checked.type}, not bool, so it never trips`;
    return [{ kind: 'trip-not-boolean', message, offset: 0 }];
  }
  if (!checked.valid) {
    const { code, range } = checked.error as {
      code?: string;
      range?: { start: number; end: number };
    };
    if (code === 'unknown_variable' && range !== undefined) {
      const word = text.slice(range.start, range.end);
      const message = `names "${word}", which is not one of ${TRIP_VARIABLES.join(', ')}`;
      faults.push({ kind: 'undeclared-variable', message, offset: range.start, word });
    }
  }
  const division = findIntegerDivision(ast);
  if (division !== undefined) {
    const message = 'divides whole numbers, which drops the fraction: write double(a) / double(b)';
    faults.push({ kind: 'integer-division', message, offset: division });
  }
  // One remark is enough: a misspelt variable is why it cannot trip.
  if (faults.length === 0 && !canTrip(ast, trip)) {
    const message = 'is false for all counts there can be, so this breaker never opens';
    faults.push({ kind: 'breaker-cannot-trip', message, offset: 0 });
  }
  return faults;
}

/** The place of a division whose both sides are whole numbers by their looks. */
function findIntegerDivision(ast: ASTNode): number | undefined {
  const whole = (node: ASTNode): boolean => {
    if (node.op === 'id') return true;
    if (node.op === 'value') return typeof node.args === 'bigint';
    if (node.op === '+' || node.op === '-' || node.op === '*') return node.args.every(whole);
    return false;
  };
  for (const node of walkCel(ast)) {
    if (node.op === '/' && node.args.every(whole)) return node.start;
  }
  return undefined;
}

/** Every three of them are tried together: up to 7,000 evaluations. */
const ENOUGH_NUMBERS = 16;

/**
 * Whether some counts that can occur make it true: tried, not proven, over
 * powers of ten, the numbers in the text, and their neighbours. `trip` is only
 * asked after a failure, so there is at least one and no success since.
 */
function canTrip(ast: ASTNode, trip: Trip): boolean {
  const numbers = new Set<number>([0, 1, 10, 1_000, 1_000_000]);
  for (const node of walkCel(ast)) {
    if (node.op !== 'value' || numbers.size > ENOUGH_NUMBERS) continue;
    const value = Number(node.args);
    if (!Number.isSafeInteger(value) || value < 0) continue;
    for (const near of [value - 1, value, value + 1]) if (near >= 0) numbers.add(near);
  }
  for (const consecutiveFailures of numbers) {
    if (consecutiveFailures === 0) continue;
    for (const totalSuccesses of numbers) {
      for (const earlier of numbers) {
        const totalFailures = consecutiveFailures + (totalSuccesses === 0 ? 0 : earlier);
        const requests = totalFailures + totalSuccesses;
        const counts = { requests, totalSuccesses, totalFailures, consecutiveFailures };
        if (trip.evaluate({ ...counts, consecutiveSuccesses: 0 })) return true;
        if (totalSuccesses === 0) break;
      }
    }
  }
  return false;
}
