// One policy alone beside its rivals, in a process of its own; prints the times as JSON.
import { timePolicy } from './policies.ts';

console.log(JSON.stringify(await timePolicy(process.argv[2] ?? '')));
process.exit(0);
