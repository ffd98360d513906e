/**
 * As many of what was taken, in order, that no two of it were handed over before: what is in hand with one
 * that ends this process counts one more as well.
 */
export function oneSuspect<One>(
  taken: readonly One[],
  wasHandedOver: (one: One) => boolean,
): One[] {
  let suspects = 0;
  const second = taken.findIndex((one) => wasHandedOver(one) && ++suspects === 2);
  return second === -1 ? [...taken] : taken.slice(0, second);
}
