/** What stands beside the offset of a record that was begun so often. */
export const startedText = (times: number): string => `holdfast-started=${times}`;

/** 0 where it is not ours, or nothing. */
export function timesStarted(text: string | null | undefined): number {
  return Number(/^holdfast-started=(\d{1,9})$/.exec(text ?? '')?.[1] ?? 0);
}
