// Writes packages/sidecar/src/grpc/protos: Dapr's messages and services as TypeScript (what sidecars say to each other included), from the
// .proto files that its JavaScript SDK carries; and packages/sidecar/src/pluggable/protos, from the
// files beside them. Needs `protoc` (Debian: protobuf-compiler; or
// PROTOC=…). Run by hand when the SDK is updated; what it writes is committed.
//
// APIs that this sidecar does not have are left out of the service: their calls are answered by
// their names alone.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const target = path.join(root, 'packages/sidecar/src/grpc/protos');
const from = path.join(root, 'node_modules/@dapr/dapr/proto');
const work = mkdtempSync(path.join(tmpdir(), 'holdfast-protos-'));

const ABSENT = ['actors', 'ai', 'crypto', 'jobs', 'workflow'];
const ABSENT_CALL = /Actor|Timer|Reminder|Workflow|Job|Converse|Encrypt|Decrypt|Subtle/;

const RPC = /^ {2}rpc (\w+)\s*\([^)]*\)\s*returns\s*\([^)]*\)\s*(?:\{[^}]*\}|;)/gm;

/** Node takes types away and compiles nothing: an enum becomes an object of its numbers. */
function erasable(_, name, body) {
  const members = body.replace(/^( {2}\w+) = (-?\d+),$/gm, '$1: $2,');
  return `export const ${name} = {\n${members}} as const;\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];`;
}

const own = path.join(root, 'packages/sidecar/src/pluggable/protos');

/** Compiles files of `folder` into `out`. */
function compile(folder, out, names) {
  execFileSync('mkdir', ['-p', out]);
  execFileSync(
    process.env.PROTOC ?? 'protoc',
    [
      `--plugin=protoc-gen-es=${path.join(root, 'node_modules/.bin/protoc-gen-es')}`,
      `--proto_path=${folder}`,
      `--es_out=${out}`,
      '--es_opt=target=ts,import_extension=ts',
      ...names,
    ],
    { stdio: 'inherit' },
  );
}

/** Puts what was compiled into `from` into the folder `to`, in place of what was there. */
function place(from, to) {
  for (const file of readdirSync(to)) if (file.endsWith('_pb.ts')) rmSync(path.join(to, file));
  for (const folder of from) {
    for (const file of readdirSync(folder).filter((name) => name.endsWith('_pb.ts'))) {
      // One folder: they are ours to lay out, and nobody else reads them.
      const source = readFileSync(path.join(folder, file), 'utf8')
        .replaceAll('"../../common/v1/', '"./')
        .replaceAll(/^\/\/(?!.*@generated).*\n/gm, '')
        .replace('/* eslint-disable */\n', '')
        .replace(/^export enum (\w+) \{\n([\s\S]*?)^\}$/gm, erasable);
      writeFileSync(path.join(to, file), source);
    }
  }
}

try {
  cpSync(from, work, { recursive: true });
  const dapr = path.join(work, 'dapr/proto/runtime/v1/dapr.proto');
  const text = readFileSync(dapr, 'utf8')
    .split('\n')
    .filter(
      (line) => !ABSENT.some((one) => line.includes(`import "dapr/proto/runtime/v1/${one}.proto"`)),
    )
    .join('\n')
    .replace(RPC, (call, name) => (ABSENT_CALL.test(name) ? '' : call));
  writeFileSync(dapr, text);
  // What daprd's sidecars say to each other; actors are called in the same service.
  const internals = path.join(work, 'dapr/proto/internals/v1/service_invocation.proto');
  const leg = readFileSync(internals, 'utf8')
    .replace('import "dapr/proto/internals/v1/reminders.proto";\n', '')
    .replace('import "google/protobuf/empty.proto";\n', '')
    .replace(RPC, (call, name) => (ABSENT_CALL.test(name) ? '' : call));
  writeFileSync(internals, leg);
  cpSync(path.join(target, 'error_details.proto'), path.join(work, 'error_details.proto'));
  const runtime = ['appcallback', 'binding', 'configuration', 'dapr', 'invoke', 'lock', 'metadata'];
  const names = [...runtime, 'pubsub', 'secret', 'state'].map(
    (name) => `dapr/proto/runtime/v1/${name}.proto`,
  );
  const between = ['apiversion', 'service_invocation', 'status'].map(
    (name) => `dapr/proto/internals/v1/${name}.proto`,
  );
  const out = path.join(work, 'out');
  const common = 'dapr/proto/common/v1/common.proto';
  compile(work, out, ['error_details.proto', common, ...names, ...between]);
  const folders = ['', 'common', 'runtime', 'internals'].map((name) =>
    name === '' ? '' : `dapr/proto/${name}/v1`,
  );
  place(
    folders.map((folder) => path.join(out, folder)),
    target,
  );
  const ownOut = path.join(work, 'own');
  compile(own, ownOut, ['components.proto', 'reflection.proto']);
  place([ownOut], own);
} finally {
  rmSync(work, { recursive: true, force: true });
}
