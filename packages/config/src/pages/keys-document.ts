import { type Field, RESILIENCY } from '../parse/vocabulary.ts';

/** KEYS.md, from the vocabulary: the map between the words of the file and those of the code. */
export function keysDocument(): string {
  return `# Keys of a policy file

Made from \`src/parse/vocabulary.ts\` by \`src/pages/generate-main.ts\`; a test fails where they differ.
Keys marked **ours** are Holdfast's: Dapr ignores them and loads the file.

| key | default | option of \`@holdfast/core\` | what it means |
|---|---|---|---|
${rows('', RESILIENCY).join('\n')}
`;
}

function rows(path: string, fields: Readonly<Record<string, Field>>): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const here = `${path}${name}`;
    const below = field.kind === 'map' ? `${here}.*.` : `${here}.`;
    if (field.fields !== undefined) return [row(here, field), ...rows(below, field.fields)];
    const each = field.each;
    return each === undefined ? [row(here, field)] : [row(here, field), row(`${here}.*`, each)];
  });
}

function row(key: string, field: Field): string {
  const ours = field.ours ? ' **ours**' : '';
  const option = field.option === undefined ? '' : `\`${field.option}\``;
  const about = field.about.replaceAll('|', '\\|');
  return `| \`${key}\`${ours} | ${field.byDefault ?? ''} | ${option} | ${about} |`;
}
