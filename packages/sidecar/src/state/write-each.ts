import { EtagMismatchError, InvalidEtagError, type StateOperation } from './state-store.ts';

/** Of several writes that stand each for itself, some were not done. */
export class NotAllWrittenError extends Error {
  override readonly name = 'NotAllWrittenError';
  /** At the places of those that were not: who asked may have asked for others in their stead, such as encrypted ones. */
  readonly failures: readonly (Error | undefined)[];

  constructor(failures: readonly (Error | undefined)[]) {
    super(failures.flatMap((failure) => failure?.message ?? []).join('\n'));
    this.failures = failures;
  }
}

/**
 * Does each operation, whatever becomes of the others.
 *
 * @throws NotAllWrittenError, or of one alone what was wrong with it.
 */
export async function writeEach(
  operations: readonly StateOperation[],
  write: (operation: StateOperation) => void | Promise<void>,
): Promise<void> {
  const failures = new Map<StateOperation, Error>();
  for (const operation of operations) {
    try {
      await write(operation);
    } catch (error) {
      failures.set(operation, error as Error);
    }
  }
  throwFailures(operations, failures);
}

/** As `writeEach`, but none of them waits for the one before. */
export async function writeEachAtOnce(
  operations: readonly StateOperation[],
  write: (operation: StateOperation) => Promise<void>,
): Promise<void> {
  const outcomes = await Promise.allSettled(operations.map(write));
  const failures = new Map<StateOperation, Error>();
  for (const [at, outcome] of outcomes.entries()) {
    if (outcome.status === 'rejected') failures.set(operations[at]!, outcome.reason);
  }
  throwFailures(operations, failures);
}

export function throwFailures(
  operations: readonly StateOperation[],
  failures: ReadonlyMap<StateOperation, Error>,
): void {
  const [first] = failures.values();
  if (first === undefined) return;
  if (operations.length === 1) throw first;
  throw new NotAllWrittenError(operations.map((operation) => failures.get(operation)));
}

/** What Dapr says of several writes of which these failed; of one, what that said. */
export function togetherSaid(errors: readonly Error[], wanted: number): Error {
  const [first] = errors;
  // One alone, or one that is of all of them.
  const ofAll = errors.length === wanted && errors.every((error) => error === first);
  if (ofAll && first !== undefined) return first;
  const disagreed = errors.find(isDisagreement);
  const text = errors.map(({ message }) => message).join('\n');
  if (disagreed === undefined) return new Error(text, { cause: first });
  if (!errors.every(isDisagreement)) return disagreed;
  return disagreed instanceof InvalidEtagError
    ? new InvalidEtagError(text)
    : new EtagMismatchError(text);
}

/** Errors about etags: asking again changes nothing. */
const isDisagreement = (error: unknown): error is EtagMismatchError | InvalidEtagError =>
  error instanceof EtagMismatchError || error instanceof InvalidEtagError;
