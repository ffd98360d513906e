import assert from 'node:assert/strict';
import { dirname, join } from 'node:path/posix';
import { describe, test } from 'node:test';
import { text, trackedFiles } from './tree.ts';

/** As ARCHITECTURE.md has them: a package imports only from layers below its own; siblings never import siblings. */
const LAYER: Readonly<Record<string, number>> = {
  '@holdfast/core': 0,
  '@holdfast/config': 1,
  '@holdfast/telemetry': 1,
  '@holdfast/http': 1,
  '@holdfast/messaging': 1,
  '@holdfast/simulator': 2,
  '@holdfast/drill': 2,
  '@holdfast/sidecar': 2,
  '@holdfast/console': 3,
  holdfast: 4,
};

/** Outside the packages the layers end: examples, benches and tests may use everything. */
const SOURCE = /^packages\/([a-z]+)\/src\/.*\.ts$/;
const IMPORT =
  /^(?:import|export)\b[^'"]*?from\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|import\(\s*['"]([^'"]+)['"]\s*\)/gm;

const sources = trackedFiles().filter((file) => SOURCE.test(file));

describe('layers', () => {
  test('every package has a layer', () => {
    const names = manifests().map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => !(name in LAYER)),
      [],
    );
  });

  test('manifests depend on lower layers only', () => {
    const upward = manifests().flatMap(({ name, dependencies }) =>
      dependencies.filter((other) => !isBelow(other, name)).map((other) => `${name} → ${other}`),
    );
    assert.deepEqual(upward, []);
  });

  test('imports name lower layers only, and only what the manifest declares', () => {
    const declared = new Map(manifests().map(({ name, all }) => [name, all]));
    const wrong: string[] = [];
    for (const file of sources.filter((file) => !isTest(file))) {
      const owner = ownerOf(file);
      for (const specifier of importsOf(file)) {
        const other = packageOf(specifier);
        if (other === undefined || other === owner) continue;
        if (other in LAYER && !isBelow(other, owner)) wrong.push(`${file} imports ${other}`);
        else if (!declared.get(owner)?.includes(other)) {
          wrong.push(`${file} imports ${other}, which ${owner} does not declare`);
        }
      }
    }
    assert.deepEqual(wrong, []);
  });

  test('what is for users among what is for tests stands on nothing that only tests have', () => {
    const declared = new Map(manifests().map(({ name, all }) => [name, all]));
    const shipped = sources.filter((file) => !file.endsWith('.test.ts')).filter(isExported);
    const wrong = reachedFrom(shipped).flatMap((file) =>
      importsOf(file)
        .map(packageOf)
        .filter((other) => other !== undefined && other !== ownerOf(file))
        .filter((other) => !declared.get(ownerOf(file))?.includes(other!))
        .map((other) => `${file} imports ${other}`),
    );
    assert.ok(shipped.includes('packages/messaging/src/testing/index.ts'));
    assert.deepEqual(wrong, []);
  });

  test('no file reaches into another package by a relative path', () => {
    const wrong = sources.flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith('.'))
        .filter((specifier) => !staysInside(file, specifier))
        .map((specifier) => `${file} imports ${specifier}`),
    );
    assert.deepEqual(wrong, []);
  });

  test('core imports nothing from node, so that it runs in browsers, Deno and Bun', () => {
    const wrong = sources
      .filter((file) => file.startsWith('packages/core/') && !isTest(file))
      .filter((file) => importsOf(file).some((specifier) => specifier.startsWith('node:')));
    assert.deepEqual(wrong, []);
  });
});

interface Manifest {
  readonly name: string;
  /** Packages of ours it depends on. */
  readonly dependencies: readonly string[];
  /** Everything it may import. */
  readonly all: readonly string[];
}

function manifests(): Manifest[] {
  return trackedFiles()
    .filter((file) => /^packages\/[a-z]+\/package\.json$/.test(file))
    .map((file) => {
      const manifest = JSON.parse(text(file));
      const all = Object.keys({
        ...manifest.dependencies,
        ...manifest.peerDependencies,
        ...manifest.optionalDependencies,
      });
      return { name: manifest.name, all, dependencies: all.filter((name) => name in LAYER) };
    });
}

/** Whether a manifest's `exports` names it. */
function isExported(file: string): boolean {
  const [, folder] = SOURCE.exec(file)!;
  const { exports } = JSON.parse(text(`packages/${folder}/package.json`));
  return JSON.stringify(exports ?? {}).includes(`"./${file.slice(`packages/${folder}/`.length)}"`);
}

/** These files and what they import of their own package, and so on. */
function reachedFrom(files: readonly string[]): string[] {
  const reached = new Set(files);
  for (const file of reached) {
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('.')) reached.add(join(dirname(file), specifier));
    }
  }
  return [...reached];
}

/** Code that only tests run may look upward and use development dependencies. */
function isTest(file: string): boolean {
  return file.endsWith('.test.ts') || /\/(testing|test-support|fixtures)\//.test(file);
}

function isBelow(other: string, name: string): boolean {
  return (LAYER[other] ?? 99) < (LAYER[name] ?? -1);
}

function ownerOf(file: string): string {
  const folder = SOURCE.exec(file)![1]!;
  return folder === 'cli' ? 'holdfast' : `@holdfast/${folder}`;
}

function importsOf(file: string): string[] {
  return [...text(file).matchAll(IMPORT)].map((match) => (match[1] ?? match[2] ?? match[3])!);
}

/** The package a specifier names; undefined for relative paths and for node's own modules. */
function packageOf(specifier: string): string | undefined {
  if (specifier.startsWith('.') || specifier.startsWith('node:')) return undefined;
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0];
}

function staysInside(file: string, specifier: string): boolean {
  const depth = file.split('/').length - 1;
  const ups = specifier.split('/').filter((part) => part === '..').length;
  return depth - ups >= 2;
}
