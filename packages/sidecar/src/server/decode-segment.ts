import { unescaped } from '../flow/unescaped.ts';

/**
 * A segment of a path without its escapes; bytes that are no UTF-8 stay as they were written, so that no two become one.
 *
 * A `+` is a blank, as in Dapr, which reads the names in a path as those of a query. One that is meant is written `%2B`.
 */
export const decodeSegment = (segment: string): string => unescaped(segment.replaceAll('+', ' '));
