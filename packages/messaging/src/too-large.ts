/** Why a broker does not take a message, and what to do; as everywhere with size and limit. */
export function tooLarge(bytes: number, most: number | undefined, setting: string): string {
  const limit = most === undefined ? 'more than the broker takes' : `of at most ${most}`;
  return `it has ${bytes} bytes, ${limit} (${setting}): raise that, or send a reference to a body kept elsewhere`;
}
