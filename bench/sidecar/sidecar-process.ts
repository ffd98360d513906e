/** One sidecar of ours in a process of its own: options as JSON in, ports as JSON out, SIGTERM ends it. */
import { type SidecarOptions, startSidecar } from '@holdfast/sidecar';

const options = JSON.parse(process.argv[2] ?? '{}') as SidecarOptions;
const sidecar = await startSidecar(options);
process.once('SIGTERM', () => void sidecar.stop());
console.log(JSON.stringify(sidecar.ports));
await sidecar.ended;
