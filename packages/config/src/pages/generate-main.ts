import { writeFile } from 'node:fs/promises';
import { resiliencySchema } from './json-schema.ts';
import { keysDocument } from './keys-document.ts';
import { rulesDocument } from './rules-document.ts';

// Writes what is made from the code: `node --conditions=source packages/config/src/pages/generate-main.ts`.
const schema = `${JSON.stringify(resiliencySchema(), null, 2)}\n`;
await writeFile(new URL('../../schema/resiliency.schema.json', import.meta.url), schema);
await writeFile(new URL('../../RULES.md', import.meta.url), rulesDocument());
await writeFile(new URL('../../KEYS.md', import.meta.url), keysDocument());
