import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Random } from '@holdfast/core';

/** What a disk writes whole or not at all. */
const SECTOR_BYTES = 512;
const HEAD_BYTES = 16;

interface Operation {
  readonly kind: 'w' | 's' | 'f' | 't' | 'u';
  readonly name: string;
  readonly offset: number;
  readonly data: Buffer;
}

/** What a file would hold after a power cut. */
interface Image {
  /** What a flush has made sure of. */
  durable: Buffer;
  /** Written since, and perhaps on the disk, perhaps not, sector by sector. */
  pending: Operation[];
  exists: boolean;
}

export interface PowerCut {
  /** The files as they were when the process was started. */
  readonly before: string;
  /** Where the files are put as the disk has them after the cut. */
  readonly after: string;
  readonly journal: string;
  /** Decides which sectors that were not flushed made it. */
  readonly random: Random;
}

/**
 * Plays a power cut: what was flushed is there; of what was written since, each sector is there or not,
 * so pages are torn. What was written before a flush that failed is never made sure of by a later one,
 * as on Linux, which takes the failed pages for clean. A file's name is there when it was opened.
 */
export async function playPowerCut({ before, after, journal, random }: PowerCut): Promise<void> {
  const images = new Map<string, Image>();
  for (const name of await readdir(before)) {
    if (name.endsWith('-shm')) continue;
    images.set(name, { durable: await readFile(join(before, name)), pending: [], exists: true });
  }
  for (const operation of operationsIn(await readFile(journal))) {
    const image = images.get(operation.name) ?? {
      durable: Buffer.alloc(0),
      pending: [],
      exists: true,
    };
    images.set(operation.name, image);
    play(image, operation, random);
  }
  for (const [name, image] of images) {
    settle(image, random);
    if (image.exists) await writeFile(join(after, name), image.durable);
  }
}

function play(image: Image, operation: Operation, random: Random): void {
  switch (operation.kind) {
    case 'w':
      image.exists = true;
      image.pending.push(operation);
      return;
    case 't':
      image.pending.push(operation);
      return;
    case 's':
      for (const each of image.pending) apply(image, each);
      image.pending = [];
      return;
    case 'f':
      settle(image, random);
      return;
    case 'u':
      // With its name goes what was in it; directories are not told apart from what they hold.
      image.exists = false;
      image.durable = Buffer.alloc(0);
      image.pending = [];
  }
}

/** Some of what is pending makes it to the disk, and the rest never will. */
function settle(image: Image, random: Random): void {
  for (const operation of image.pending) {
    if (operation.kind === 't') {
      if (random.next() < 0.5) apply(image, operation);
      continue;
    }
    const { offset, data } = operation;
    for (let at = 0; at < data.byteLength; ) {
      const end = Math.min(data.byteLength, at + SECTOR_BYTES - ((offset + at) % SECTOR_BYTES));
      const sector = { ...operation, offset: offset + at, data: data.subarray(at, end) };
      if (random.next() < 0.5) apply(image, sector);
      at = end;
    }
  }
  image.pending = [];
}

function apply(image: Image, { kind, offset, data }: Operation): void {
  const end = kind === 't' ? offset : Math.max(image.durable.byteLength, offset + data.byteLength);
  if (end !== image.durable.byteLength) {
    const resized = Buffer.alloc(end);
    image.durable.copy(resized);
    image.durable = resized;
  }
  data.copy(image.durable, offset);
}

function* operationsIn(journal: Buffer): Generator<Operation> {
  for (let at = 0; at + HEAD_BYTES <= journal.byteLength; ) {
    const nameEnd = at + HEAD_BYTES + journal.readUInt8(at + 1);
    const end = nameEnd + journal.readUInt32LE(at + 4);
    yield {
      kind: journal.toString('latin1', at, at + 1) as Operation['kind'],
      name: journal.toString('utf8', at + HEAD_BYTES, nameEnd),
      offset: Number(journal.readBigUInt64LE(at + 8)),
      data: journal.subarray(nameEnd, end),
    };
    at = end;
  }
}
