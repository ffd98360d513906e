import type { CircuitCounts } from '@holdfast/core';
import { type ASTNode, Environment } from '@marcbachmann/cel-js';
import { CEL_LIMITS, LONGEST_TRIP, TRIP_VARIABLES, type Trip, type TripFault } from './trip.ts';
import { tripRemarks } from './trip-remarks.ts';
import { walkCel } from './walk-cel.ts';

/** As Dapr compiles: every variable is dynamic, known or not. What fails here fails there. */
const asDapr = new Environment({ unlistedVariablesAreDyn: true, limits: CEL_LIMITS });

/** As it should be: five variables, all int. What fails only here loads, with a problem. */
const asDeclared = TRIP_VARIABLES.reduce(
  (environment, name) => environment.registerVariable(name, 'int'),
  new Environment({ unlistedVariablesAreDyn: false, limits: CEL_LIMITS }),
);

/** Compiles `trip` once. No `trip` means that it cannot be used; faults beside one are remarks. */
export function compileTrip(text: string): { trip?: Trip; faults: readonly TripFault[] } {
  const bad = (message: string, offset = 0) => ({
    faults: [{ kind: 'bad-trip', message, offset } as const],
  });
  if (text.length > LONGEST_TRIP) {
    return bad(`is ${text.length} characters long, and ${LONGEST_TRIP} are allowed`);
  }

  let program: ReturnType<Environment['parse']>;
  try {
    program = asDapr.parse(text);
    const checked = program.check();
    if (!checked.valid) throw checked.error;
  } catch (fault) {
    const { summary, range } = fault as { summary?: string; range?: { start: number } };
    return bad(`is not valid CEL: ${summary ?? String(fault)}`, range?.start);
  }
  const costly = findCostly(program.ast);
  if (costly !== undefined) {
    return bad(`calls ${costly.name}(), too costly for every failure`, costly.offset);
  }

  // With the types known, nothing is looked up per evaluation: up to three times as fast.
  const declared = asDeclared.check(text);
  const chosen = declared.valid ? asDeclared.parse(text) : program;
  const evaluate = (counts: CircuitCounts): boolean => {
    try {
      return chosen(celContext(counts)) === true;
    } catch {
      // As Dapr: an expression that cannot be evaluated does not trip.
      return false;
    }
  };
  const consecutiveFailures = onlyConsecutive(text);
  const trip: Trip = {
    text,
    evaluate,
    ...(consecutiveFailures === undefined ? {} : { consecutiveFailures }),
  };
  return { trip, faults: tripRemarks(program.ast, trip, declared) };
}

function celContext(counts: CircuitCounts): Record<string, bigint> {
  return {
    requests: BigInt(counts.requests),
    totalSuccesses: BigInt(counts.totalSuccesses),
    totalFailures: BigInt(counts.totalFailures),
    consecutiveSuccesses: BigInt(counts.consecutiveSuccesses),
    consecutiveFailures: BigInt(counts.consecutiveFailures),
  };
}

/** `consecutiveFailures > 4` is what nearly everyone writes, and needs no CEL per failure. */
function onlyConsecutive(text: string): number | undefined {
  const match = /^\s*consecutiveFailures\s*(>=?)\s*([0-9]{1,5})\s*$/.exec(text);
  if (match === null) return undefined;
  return Math.max(1, Number(match[2]) + (match[1] === '>' ? 1 : 0));
}

/**
 * A call whose cost a short text does not bound: a loop within a loop, or a
 * regular expression (which JavaScript's engine may take forever over).
 */
function findCostly(ast: ASTNode): { name: string; offset: number } | undefined {
  const loops = new Set(['all', 'exists', 'exists_one', 'map', 'filter', 'bind']);
  let seen = 0;
  for (const node of walkCel(ast)) {
    if (node.op !== 'rcall' && node.op !== 'call') continue;
    const name = node.args[0];
    if (name === 'matches') return { name, offset: node.start };
    if (loops.has(name)) seen += 1;
    if (seen > 1) return { name, offset: node.start };
  }
  return undefined;
}
