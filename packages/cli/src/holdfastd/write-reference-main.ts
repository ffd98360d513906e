import { writeFileSync } from 'node:fs';
import { holdfastdReference } from './reference.ts';

// node --conditions=source packages/cli/src/holdfastd/write-reference-main.ts
const file = new URL('../../../../docs/reference/holdfastd.md', import.meta.url);
writeFileSync(file, holdfastdReference());
