import assert from 'node:assert/strict';
import { basename } from 'node:path';
import { describe, test } from 'node:test';
import { text, trackedFiles } from './tree.ts';

const LONGEST_FILE = 400;
const VAGUE = /^(utils?|helpers?|commons?|managers?|impl|types|misc|shared)\.(ts|mjs)$/;

const files = trackedFiles();
// What a generator wrote is nobody's to tidy.
const code = files.filter(
  (file) => /\.(ts|mjs)$/.test(file) && !file.includes('/fixtures/') && !file.includes('/protos/'),
);

describe('tidiness', () => {
  test('file names are kebab-case and say what the file exports', () => {
    const wrong = code.filter(
      (file) =>
        !/^[a-z0-9]+([.-][a-z0-9]+)*\.(ts|mjs)$/.test(basename(file)) || VAGUE.test(basename(file)),
    );
    assert.deepEqual(wrong, []);
  });

  test(`no file is longer than ${LONGEST_FILE} lines`, () => {
    const long = code
      .map((file) => ({ file, lines: text(file).split('\n').length - 1 }))
      .filter(({ lines }) => lines > LONGEST_FILE);
    assert.deepEqual(long, []);
  });

  test('index.ts is a package’s entry and nothing else', () => {
    const exported = new Set(
      files
        .filter((file) => /^(packages\/[a-z]+|tests\/servers)\/package\.json$/.test(file))
        .flatMap((file) => entriesOf(file)),
    );
    const wrong = code.filter((file) => basename(file) === 'index.ts' && !exported.has(file));
    assert.deepEqual(wrong, []);
  });

  // A plain import reads every export, and one of them loads node's whole fetch: 20 ms and megabytes at each start.
  test('a sidecar takes node:http through its own door', () => {
    const door = 'packages/sidecar/src/server/node-http.ts';
    const wrong = code.filter(
      (file) =>
        file.startsWith('packages/sidecar/src/') &&
        !/\.test\.ts$|\/testing\//.test(file) &&
        file !== door &&
        /^import (?!type )[^;]*from 'node:https?';/m.test(text(file)),
    );
    assert.deepEqual(wrong, []);
  });

  test('nothing is switched off, narrowed or left for later', () => {
    const marks = /\b(?:test|it|describe)\.(?:only|todo|skip)\(|\bTO[D]O\b|\bFIX[M]E\b|\bXX[X]\b/;
    const wrong = code.flatMap((file) =>
      text(file)
        .split('\n')
        .flatMap((line, index) =>
          marks.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [],
        ),
    );
    assert.deepEqual(wrong, []);
  });

  test('every package and example has a README that says when not to use or copy it', () => {
    const readmes = files
      .filter((file) => /^(packages|examples)\/[^/]+\/package\.json$/.test(file))
      .map((file) => file.replace('package.json', 'README.md'));
    const wrong = readmes.filter(
      (readme) => !files.includes(readme) || !/when not to (use|copy) it/i.test(text(readme)),
    );
    assert.deepEqual(wrong, []);
  });

  test('versions are pinned exactly', () => {
    const loose = files
      .filter((file) => basename(file) === 'package.json')
      .flatMap((file) => {
        const manifest = JSON.parse(text(file));
        return Object.entries<string>({
          ...manifest.dependencies,
          ...manifest.devDependencies,
          ...manifest.optionalDependencies,
        })
          .filter(([, version]) => !/^(npm:[\w@/-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))
          .map(([name, version]) => `${file}: ${name}@${version}`);
      });
    assert.deepEqual(loose, []);
  });

  test('the lockfile names no download address', () => {
    assert.equal(/"resolved": "https?:/.test(text('package-lock.json')), false);
  });

  test('the lockfile knows the packages of every platform, or npm ci would refuse it', () => {
    const { packages } = JSON.parse(text('package-lock.json')) as {
      packages: Record<string, { optionalDependencies?: Record<string, string> }>;
    };
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter(
        (name) =>
          !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
      ),
    );
    assert.deepEqual(missing, []);
  });

  test('no path of one machine and no key is committed', () => {
    const marks = /\/work\/(?:main|shared)|BEGIN (?:RSA |EC )?PRIVATE KEY/;
    const wrong = files
      .filter(
        (file) => /\.(ts|mjs|md|ya?ml|json|sh)$/.test(file) && file !== 'tests/tidy/tidy.test.ts',
      )
      .filter((file) => marks.test(text(file)));
    assert.deepEqual(wrong, []);
  });
});

/** The source files a package's `exports` name. */
function entriesOf(manifestFile: string): string[] {
  const folder = manifestFile.replace('/package.json', '');
  const exports: Record<string, { source?: string }> = JSON.parse(text(manifestFile)).exports ?? {};
  return Object.values(exports).flatMap(({ source }) =>
    source === undefined ? [] : [`${folder}/${source.replace('./', '')}`],
  );
}
