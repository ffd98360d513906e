/**
 * `npm run api`: writes `packages/core/api.txt`, every name that the package exports with its
 * signature, so that a change of what users see is seen in a diff. `tests/tidy` fails on drift.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const core = join(root, 'packages', 'core');
const ENTRIES = ['index', 'redis/index', 'testing/index', 'trace/index'];

export const API_FILE = join(core, 'api.txt');

/** The text that `api.txt` should have. */
export function coreApi(): string {
  const out = mkdtempSync(join(tmpdir(), 'holdfast-api-'));
  try {
    declareInto(out);
    const declared = new Map(declarationFiles(out).map((file) => [file, declarationsIn(file)]));
    return ENTRIES.map((entry) => {
      const lines = exportedBy(join(out, `${entry}.d.ts`)).map(({ name, file }) => {
        const text = declared.get(file)?.get(name);
        if (text === undefined)
          throw new Error(`${name} is not declared in ${relative(out, file)}.`);
        return text;
      });
      const path = entry === 'index' ? '' : `/${entry.replace('/index', '')}`;
      return `# @holdfast/core${path}\n\n${lines.sort().join('\n')}\n`;
    }).join('\n');
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function declareInto(out: string): void {
  const project = join(out, 'tsconfig.json');
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    removeComments: true,
    rewriteRelativeImportExtensions: true,
    rootDir: join(core, 'src'),
    outDir: out,
    typeRoots: [join(root, 'node_modules', '@types')],
  };
  const include = [join(core, 'src')];
  const exclude = ['**/*.test.ts', '**/readme-*.ts', '**/*-process.ts', '**/decorated-*.ts'];
  writeFileSync(
    project,
    JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, include, exclude }),
  );
  execFileSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', project], { cwd: root });
}

function declarationFiles(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return declarationFiles(path);
    return name.endsWith('.d.ts') ? [path] : [];
  });
}

/** The declarations of a file by name, each on as many lines as tsc gave it. */
function declarationsIn(file: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of readFileSync(file, 'utf8').split(/^(?=export )/m)) {
    const name =
      /^export (?:declare )?(?:abstract )?(?:const|function|class|interface|type) (\w+)/.exec(
        part,
      )?.[1];
    if (name === undefined) continue;
    const text = part
      .replace(/^export (?:declare )?/, '')
      .replace(/\n\s*\n/g, '\n')
      .trimEnd();
    // Overloads share a name.
    found.set(name, found.has(name) ? `${found.get(name)}\n${text}` : text);
  }
  return found;
}

function exportedBy(entry: string): { name: string; file: string }[] {
  const exports = [
    ...readFileSync(entry, 'utf8').matchAll(/export (?:type )?\{([^}]*)\} from '([^']+)'/g),
  ];
  return exports.flatMap(([, names = '', from = '']) =>
    names
      .split(',')
      .map((name) => name.trim().replace(/^type /, ''))
      .filter((name) => name !== '')
      .map((name) => ({ name, file: join(entry, '..', from.replace(/\.[jt]s$/, '.d.ts')) })),
  );
}

if (import.meta.main) writeFileSync(API_FILE, coreApi());
