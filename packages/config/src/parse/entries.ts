import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type YAMLMap } from 'yaml';
import type { Report } from '../problems/report.ts';
import { goFloat } from './go-float.ts';

/** What reading one document needs: the document for its anchors, the report for its problems. */
export interface Reading {
  readonly document: Document.Parsed;
  readonly report: Report;
}

/** One key of a mapping, as written. */
export interface Entry {
  readonly key: string;
  readonly keyOffset: number;
  readonly value: Node | null;
  /** Of the value; of the key where there is none. */
  readonly offset: number;
}

/** The entries of a mapping, merges (`<<`) and aliases followed, the last of equal keys only. */
export function entriesOf(reading: Reading, of: Entry, path: string): Entry[] | undefined {
  const node = of.value;
  if (node === null || (isScalar(node) && node.value === null)) return [];
  if (!isMap(node)) {
    const message = `${path} is ${describe(node)}, and must be a mapping`;
    reading.report.add(of.offset, 'wrong-type', message);
    return undefined;
  }
  const entries = new Map<string, Entry>();
  // A key that came by a merge may be written again; one written here may not.
  const written = new Map<string, number>();
  for (const entry of ownEntries(reading, node)) {
    if (entry.key === '<<') {
      for (const merged of mergedEntries(reading, entry)) {
        if (!entries.has(merged.key)) entries.set(merged.key, merged);
      }
      continue;
    }
    const before = written.get(entry.key);
    if (before !== undefined) {
      const { line } = reading.report.place(before);
      const message = `${path} has the key "${entry.key}" in line ${line} already; this one counts`;
      reading.report.add(entry.keyOffset, 'duplicate-key', message);
    }
    written.set(entry.key, entry.keyOffset);
    entries.set(entry.key, entry);
  }
  return [...entries.values()];
}

function* ownEntries(reading: Reading, map: YAMLMap): Generator<Entry> {
  for (const pair of map.items) {
    // What is full will not be read: an alias could bring a long mapping here a hundred times.
    if (reading.report.full) return;
    const keyNode = follow(reading, pair.key as Node | null);
    const key = keyNode === null ? 'null' : spelling(keyNode);
    const keyOffset = offsetOf(pair.key) ?? 0;
    if (key === undefined) {
      reading.report.add(
        keyOffset,
        'wrong-type',
        `A key is ${describe(keyNode)}, and must be a text`,
      );
      continue;
    }
    if (keyNode !== null) remarkOldScalar(reading, keyNode, keyOffset);
    const value = follow(reading, pair.value as Node | null);
    const known = value !== null && isScalar(value) && value.value === null ? null : value;
    yield { key, keyOffset, value: known, offset: offsetOf(pair.value) ?? keyOffset };
  }
}

/** What `<<: *name` and `<<: [*a, *b]` bring in; of equal keys the first counts. */
function* mergedEntries(reading: Reading, { value }: Entry): Generator<Entry> {
  const sources = isSeq(value) ? value.items.map((item) => follow(reading, item as Node)) : [value];
  for (const source of sources) {
    if (!isMap(source)) continue;
    for (const entry of ownEntries(reading, source)) if (entry.key !== '<<') yield entry;
  }
}

/** The node an alias stands for; an alias of nothing is reported when the file is read. */
export function follow({ document }: Reading, node: Node | null): Node | null {
  return isAlias(node) ? (node.resolve(document) ?? null) : node;
}

function offsetOf(node: unknown): number | undefined {
  const range = (node as { range?: readonly number[] | null } | null)?.range;
  return range?.[0];
}

/**
 * A scalar as Dapr gives it to a text field: numbers and booleans as Go spells
 * them, so that `trip: true` and `httpStatusCodes: 429` are what they look like.
 */
export function spelling(node: Node): string | undefined {
  if (!isScalar(node)) return undefined;
  const { source = '', type, value } = node;
  if (type !== 'PLAIN') return String(value ?? '');
  if (value === null) return '';
  if (typeof value !== 'number' || !FLOAT.test(source)) return String(value);
  return goFloat(value);
}

/** A number that Go reads as a fraction, be it whole or not; the `e` of hexadecimal is a digit. */
const FLOAT = /^(?![-+]?0x).*[.eE]/;

/**
 * How far into the file from the value's beginning the character `index` of its
 * text is; 0 where escapes, folding or blocks make text and file differ.
 */
export function shiftInto(node: Node | null, index: number): number {
  if (!isScalar(node) || typeof node.value !== 'string' || !node.range) return 0;
  const quotes = node.type === 'QUOTE_DOUBLE' || node.type === 'QUOTE_SINGLE' ? 1 : 0;
  const written = node.range[1] - node.range[0];
  return written === node.value.length + 2 * quotes ? quotes + index : 0;
}

/**
 * Says so, once per place, where a plain scalar is to Dapr what neither people nor YAML 1.2 read in it:
 * words that are booleans, and numbers that are octal.
 */
export function remarkOldScalar({ report }: Reading, node: Node, offset: number): void {
  if (!isScalar(node) || node.type !== 'PLAIN') return;
  const { source = '', value } = node;
  if (typeof value === 'boolean' && !/^(?:true|false)$/i.test(source)) {
    const message = `${source} without quotes is ${value} to Dapr, and so to us`;
    report.add(offset, 'yaml-boolean', message, `"${source}"`);
  }
  if (typeof value === 'number' && OCTAL.test(source) && value !== Number(source)) {
    const message = `${source} is octal to Dapr, and so to us: ${value}`;
    report.add(offset, 'yaml-octal', message, source.replace(/^([-+]?)0+/, '$1'));
  }
}

const OCTAL = /^[-+]?0[0-7]+$/;

export function describe(node: Node | null): string {
  if (isMap(node)) return 'a mapping';
  if (isSeq(node)) return 'a list';
  if (!isScalar(node) || node.value === null) return 'empty';
  const { value } = node;
  return typeof value === 'string' ? `the text "${value.slice(0, 40)}"` : `${String(value)}`;
}
