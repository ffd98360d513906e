import { eventually } from '../../../packages/messaging/src/testing/eventually.ts';

/** Resolves when `holds` does, for questions with a yes or a no; patient as `eventually`. */
export async function until(
  what: string | (() => string | Promise<string>),
  holds: () => boolean | Promise<boolean>,
  limitMs?: number,
): Promise<void> {
  await eventually(holds, (yes) => yes, what, limitMs);
}
