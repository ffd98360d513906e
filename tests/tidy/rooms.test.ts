import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { describe, test } from 'node:test';
import { text, trackedFiles } from './tree.ts';

/** More hide what is among them: then a room has two subjects. */
const MOST_FILES = 40;

const files = trackedFiles();
const code = files.filter((file) => /\.(ts|mjs)$/.test(file) && !file.includes('/protos/'));
const maps = files.filter((file) =>
  /^(packages\/[a-z]+\/src|tests(\/conformance)?)\/README\.md$/.test(file),
);

describe('rooms', () => {
  test('what lies in the root says what it is', () => {
    // A program's file lands here where a trial gave it a name that is no path.
    const strays = files.filter((file) => /^[^./]+$/.test(file) || /\.db\b/.test(file));
    assert.deepEqual(strays, ['LICENSE', 'packages/messaging/src/sqlite/testing/outbox-v1.db']);
  });

  test(`no folder has more than ${MOST_FILES} files of code`, () => {
    const sizes = new Map<string, number>();
    for (const file of code) sizes.set(dirname(file), (sizes.get(dirname(file)) ?? 0) + 1);
    assert.deepEqual(
      [...sizes].filter(([, size]) => size > MOST_FILES),
      [],
    );
  });

  test('a map names every room beside it', () => {
    assert.ok(maps.length >= 6);
    const missing = maps.flatMap((map) =>
      roomsOf(dirname(map))
        .filter((room) => !text(map).includes(`\`${room}/\``))
        .map((room) => `${map}: ${room}/`),
    );
    assert.deepEqual(missing, []);
  });

  test('what a map names is there', () => {
    const gone = maps.flatMap((map) => {
      const here = dirname(map);
      const inside = files.filter((file) => file.startsWith(`${here}/`));
      return [...text(map).matchAll(/`([a-z0-9-]+(?:\/[a-z0-9-]+)*(?:\/|\.ts))`/g)]
        .map(([, named]) => named!)
        .filter((named) => !inside.some((file) => holds(file, named)))
        .map((named) => `${map}: ${named}`);
    });
    assert.deepEqual(gone, []);
  });
});

function roomsOf(folder: string): string[] {
  const rooms = code
    .filter((file) => file.startsWith(`${folder}/`))
    .map((file) => file.slice(folder.length + 1).split('/'))
    .flatMap(([room, ...rest]) => (rest.length === 0 ? [] : [room!]));
  return [...new Set(rooms)];
}

/** A map may name a room or a file within the room that the line is about. */
const holds = (file: string, named: string): boolean =>
  named.endsWith('/') ? file.includes(`/${named}`) : file.endsWith(`/${named}`);
