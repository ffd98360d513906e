/** Of a list of headers, `name, value, …`. */
export function* headerPairs(
  headers: readonly string[],
): Generator<readonly [name: string, value: string]> {
  for (let at = 0; at + 1 < headers.length; at += 2) yield [headers[at]!, headers[at + 1]!];
}
