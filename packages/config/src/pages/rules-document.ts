import { RULES } from '../problems/rules.ts';

const EFFECTS = {
  loads: 'is read as written',
  without: 'is read without the entry',
  refused: 'is not read',
} as const;

/** RULES.md, from the rules themselves. */
export function rulesDocument(): string {
  const rows = Object.entries(RULES).map(
    ([name, { severity, effect, finds }]) =>
      `| \`${name}\` | ${severity} | ${EFFECTS[effect]} | ${finds.replaceAll('|', '\\|')} |`,
  );
  return `# Rules of a policy file

Made from \`src/problems/rules.ts\` by \`src/pages/generate-main.ts\`; a test fails where they differ.

Each problem is one line: \`file:line:column severity rule: message\`. An error says that the file does not mean what it
says, a warning that it may be unwise. At start a file is used as far as it can be read, as Dapr does (\`strict\` refuses
to start on any error). While running, a file with a problem whose effect is not "is read as written" changes nothing:
the last good policies stay.

| rule | severity | the file | what it finds |
|---|---|---|---|
${rows.join('\n')}
`;
}
