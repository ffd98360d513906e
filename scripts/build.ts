/**
 * `npm run build [-- core …]`: each package, or those named, as ESM with declarations in its `dist/`, in the
 * order of the layers, so that every package is checked against what its users
 * will install and not against its neighbours' sources.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const cache = join(root, 'node_modules', '.cache', 'holdfast-build');
const ALL = ['core', 'config', 'telemetry', 'http', 'messaging', 'drill', 'sidecar', 'cli'];
const asked = process.argv.slice(2);
const packages = asked.length > 0 ? ALL.filter((name) => asked.includes(name)) : ALL;

mkdirSync(cache, { recursive: true });
for (const name of packages) {
  const folder = join(root, 'packages', name);
  rmSync(join(folder, 'dist'), { recursive: true, force: true });
  const project = join(cache, `${name}.json`);
  writeFileSync(project, JSON.stringify(projectOf(folder)));
  const { status } = spawnSync('tsc', ['-p', project], {
    cwd: root,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
  console.log(`built packages/${name}/dist`);
}

function projectOf(folder: string) {
  return {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      customConditions: [],
      noEmit: false,
      declaration: true,
      rewriteRelativeImportExtensions: true,
      rootDir: join(folder, 'src'),
      outDir: join(folder, 'dist'),
      typeRoots: [join(root, 'node_modules', '@types')],
    },
    include: [join(folder, 'src')],
    // Tests, and examples that import the package by its own name, which needs it built.
    exclude: [
      'src/**/*.test.ts',
      'src/**/testing/readme-*.ts',
      'src/**/testing/decorated-*.ts',
      'src/**/*-process.ts',
      // Test scenes around frameworks that users of the package need not have.
      'src/edge/testing/**',
      'src/trace/testing/**',
    ].map((glob) => join(folder, glob)),
  };
}
