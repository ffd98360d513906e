/** `npm run bench [-- core sidecar api rpc mixed messaging]`: each part prints its figures as ratios, measured side by side in one run. */
interface Bench {
  readonly run: () => Promise<void>;
}

const parts: Readonly<Record<string, () => Promise<Bench>>> = {
  core: () => import('./core/core.bench.ts'),
  messaging: () => import('./messaging/messaging.bench.ts'),
  sidecar: () => import('./sidecar/sidecar.bench.ts'),
  api: () => import('./sidecar/api.bench.ts'),
  rpc: () => import('./sidecar/rpc.bench.ts'),
  mixed: () => import('./sidecar/mixed.bench.ts'),
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in parts));
if (unknown.length > 0) {
  console.error(`No bench "${unknown[0]}". There are: ${Object.keys(parts).join(', ')}.`);
  process.exit(1);
}

for (const name of asked.length > 0 ? asked : Object.keys(parts)) {
  console.log(`\n━━ bench: ${name}`);
  const bench = await parts[name]!();
  await bench.run();
}
