/** Milliseconds of gRPC's units. */
const UNITS: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** A unit and up to eight digits. */
const LONGEST = 9;

/** What `setTimeout` can wait for: longer is as good as none. */
const LONGEST_MS = 2 ** 31 - 1;

/** What `grpc-timeout` says: the time there is, or what is wrong with it in the words of Go's servers. */
export function readRpcTimeout(
  given: string | undefined,
): { readonly ms: number | undefined } | { readonly bad: string } {
  if (given === undefined) return { ms: undefined };
  const wrong = (why: string) => ({ bad: `malformed grpc-timeout: ${why}` });
  if (given.length < 2) return wrong(`transport: timeout string is too short: "${given}"`);
  if (given.length > LONGEST) return wrong(`transport: timeout string is too long: "${given}"`);
  const unit = UNITS[given.at(-1)!];
  if (unit === undefined) return wrong(`transport: timeout unit is not recognized: "${given}"`);
  const digits = given.slice(0, -1);
  if (!/^\d+$/.test(digits)) {
    return wrong(`strconv.ParseUint: parsing "${digits}": invalid syntax`);
  }
  const ms = Number(digits) * unit;
  return { ms: ms > LONGEST_MS ? undefined : ms };
}
