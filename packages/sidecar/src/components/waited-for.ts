/**
 * What `sent` comes to, for as long as somebody waits for it. Rejects with the signal's reason the moment it
 * aborts; what was sent may be done all the same, and then `late` has its answer.
 */
export function waitedFor<T>(
  sent: Promise<T>,
  signal: AbortSignal,
  late: (answer: T) => void = () => {},
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      reject(signal.reason);
      // Nobody is left to tell that it failed.
      sent.then(late, () => {});
    };
    signal.addEventListener('abort', abort, { once: true });
    sent.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
