import { isScalar } from 'yaml';
import type { Place, Report } from '../problems/report.ts';
import {
  describe,
  type Entry,
  entriesOf,
  type Reading,
  remarkOldScalar,
  spelling,
} from './entries.ts';
import { nearest } from './nearest.ts';
import { readDuration } from './read-duration.ts';
import type { Field } from './vocabulary.ts';

/** A value together with where it is written. */
export interface Written<T> {
  readonly value: T;
  readonly offset: number;
}

/**
 * Reads one mapping field by field, and reports what is wrong with each where
 * it is written. A value of the wrong type reads as absent, and `broken` says so.
 */
export class MapReader<Name extends string> {
  /** Whether a field could not be used. */
  broken = false;
  readonly offset: number;
  readonly #reading: Reading;
  readonly #path: string;
  readonly #fields: Readonly<Record<Name, Field>>;
  readonly #entries = new Map<Name, Entry>();

  /** `path` names the mapping in messages: `retries.retryApi`. */
  constructor(reading: Reading, entry: Entry, path: string, fields: Readonly<Record<Name, Field>>) {
    this.#reading = reading;
    this.#path = path;
    this.#fields = fields;
    this.offset = entry.keyOffset;
    const entries = entriesOf(reading, entry, path);
    if (entries === undefined) this.broken = true;
    else for (const each of entries) this.#take(each);
  }

  #take(entry: Entry): void {
    const { report } = this.#reading;
    if (report.full) return;
    const names = Object.keys(this.#fields) as Name[];
    let known = names.find((name) => name === entry.key);
    if (known === undefined) {
      // Dapr decodes by way of Go's JSON, which does not look at case.
      known = names.find((name) => name.toLowerCase() === entry.key.toLowerCase());
      if (known === undefined) {
        const message = `${this.#path} has no key "${entry.key}"; it has no effect`;
        report.add(entry.keyOffset, 'unknown-key', message, nearest(entry.key, names));
        return;
      }
      const message = `${this.#path} spells "${entry.key}" in other letter case`;
      report.add(entry.keyOffset, 'key-case', message, known);
    }
    this.#entries.set(known, entry);
  }

  /** The entry as written, for what has structure of its own. */
  entry(name: Name): Entry | undefined {
    return this.#entries.get(name);
  }

  /** Reports a problem with the value of `name`, or with the mapping where it is not there. */
  fault(
    name: Name,
    rule: Parameters<Report['add']>[1],
    says: string,
    meant?: string,
    shift = 0,
  ): void {
    const entry = this.#entries.get(name);
    const offset = entry === undefined ? this.offset : entry.offset + shift;
    this.#reading.report.add(offset, rule, `${this.#path}.${name} ${says}`, meant);
  }

  /** Text; numbers and booleans count as their spelling, as in Dapr, and empty text as absent. */
  text(name: Name): Written<string> | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.value === null) return undefined;
    const { values, anyCase } = this.#fields[name];
    const written = spelling(entry.value);
    if (written === undefined) return this.#wrongType(name, entry, 'a text');
    remarkOldScalar(this.#reading, entry.value, entry.offset);
    const text = anyCase ? written.toLowerCase() : written;
    if (text !== '' && values !== undefined && !values.includes(text)) {
      const says = `is "${text}", and can be ${values.join(' or ')}`;
      this.fault(name, 'unknown-value', says, nearest(text, values));
      this.broken = true;
      return undefined;
    }
    return text === '' ? undefined : { value: text, offset: entry.offset };
  }

  integer(name: Name): Written<number> | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.value === null) return undefined;
    const value = isScalar(entry.value) ? entry.value.value : undefined;
    if (typeof value !== 'number' || !Number.isInteger(value)) {
      return this.#wrongType(name, entry, 'a whole number');
    }
    remarkOldScalar(this.#reading, entry.value, entry.offset);
    return this.#inRange(name, entry, value);
  }

  number(name: Name): Written<number> | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.value === null) return undefined;
    const value = isScalar(entry.value) ? entry.value.value : undefined;
    if (typeof value !== 'number' || !Number.isFinite(value)) {
      return this.#wrongType(name, entry, 'a number');
    }
    remarkOldScalar(this.#reading, entry.value, entry.offset);
    return this.#inRange(name, entry, value);
  }

  #inRange(name: Name, entry: Entry, value: number, unit = ''): Written<number> | undefined {
    const { min = -(2 ** 31), max = 2 ** 31 - 1 } = this.#fields[name];
    if (value >= min && value <= max) return { value, offset: entry.offset };
    this.fault(name, 'out-of-range', `is ${value}${unit}, and can be ${min} to ${max}${unit}`);
    this.broken = true;
    return undefined;
  }

  /** Whole milliseconds from 0 to what a timer can wait, within the field's own range. */
  duration(name: Name): Written<number> | undefined {
    const entry = this.#entries.get(name);
    if (entry === undefined || entry.value === null) return undefined;
    if (spelling(entry.value) === '') return undefined;
    const ms = readDuration(this.#reading, entry, `${this.#path}.${name}`);
    if (ms !== undefined) return this.#inRange(name, entry, ms, ' ms');
    this.broken = true;
    return undefined;
  }

  /** Reports a number that is not there although it must be. */
  missing(name: Name): void {
    const { min, max } = this.#fields[name];
    this.fault(name, 'out-of-range', `is missing, and must be ${min} to ${max}`);
  }

  #wrongType(name: Name, entry: Entry, wanted: string): undefined {
    this.fault(name, 'wrong-type', `is ${describe(entry.value)}, and must be ${wanted}`);
    this.broken = true;
    return undefined;
  }

  place(offset = this.offset): Place {
    return this.#reading.report.place(offset);
  }
}

/** The values of those fields that are written, each under the name of the option that it becomes. */
export function valuesOf<Options extends object>(
  fields: {
    readonly [Name in keyof Options]: Written<Options[Name]> | undefined;
  },
): Partial<Options> {
  const values: Partial<Options> = {};
  for (const name in fields) {
    const written = fields[name];
    if (written !== undefined) values[name] = written.value;
  }
  return values;
}

/** Reads the mapping at `entry`; one that is not there reads as an empty one. */
export function readObject<Name extends string>(
  reading: Reading,
  entry: Entry | undefined,
  path: string,
  fields: Readonly<Record<Name, Field>>,
): MapReader<Name> {
  const absent: Entry = { key: '', keyOffset: 0, value: null, offset: 0 };
  return new MapReader(reading, entry ?? absent, path, fields);
}
