const LONGEST = 200;

/**
 * A reason without what differs from one message to the next (ids, numbers, moments, quoted values),
 * so that a thousand letters with one cause are one group. A stack below the reason does not count.
 */
export function reasonGroup(reason: string): string {
  return reason
    .replace(/\n {4}at [\s\S]*$/, '')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:?\d\d)?/g, '<time>')
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>')
    .replaceAll(/\b(?:0x[0-9a-f]+|(?=[0-9a-f]*\d)[0-9a-f]{12,})\b/gi, '<hex>')
    .replaceAll(/"[^"]*"/g, '"…"')
    .replaceAll(/\d+(?:[.,]\d+)*/g, '<n>')
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, LONGEST);
}
