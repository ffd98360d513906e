import { formatProblem, loadResiliency, type Problem } from '@holdfast/config';
import type { CommandContext } from './output.ts';

/**
 * `holdfast check`: what is wrong with policy files. 1 when there are errors, or warnings and
 * `strict`, or when there is no policy at all: nothing checked is not all well.
 */
export async function check(
  paths: readonly string[],
  choice: { readonly strict?: boolean; readonly json?: boolean },
  { output }: CommandContext,
): Promise<number> {
  const { problems, files } = await look(paths);
  const errors = problems.filter(({ severity }) => severity === 'error').length;
  const warnings = problems.length - errors;
  const passed = files.length > 0 && errors === 0 && (warnings === 0 || choice.strict !== true);
  if (choice.json === true) {
    output.out(JSON.stringify({ passed, files, errors, warnings, problems }, null, 2));
  } else {
    for (const problem of problems) output.out(formatProblem(problem));
    output.out(summary(files.length, errors, warnings));
  }
  if (files.length === 0 && errors === 0) {
    const where = paths.join(', ');
    output.err(`holdfast: no policies in ${where}: no .yaml or .yml file says kind: Resiliency.`);
  }
  return passed ? 0 : 1;
}

/** A file that cannot be read at all is a problem like any other, as long as it says which. */
async function look(
  paths: readonly string[],
): Promise<{ problems: readonly Problem[]; files: readonly string[] }> {
  try {
    return await loadResiliency(paths);
  } catch (error) {
    const { problems } = error as { readonly problems?: readonly Problem[] };
    if (problems === undefined) throw error;
    return { problems, files: [...new Set(problems.map(({ file }) => file))] };
  }
}

function summary(files: number, errors: number, warnings: number): string {
  const counted = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`;
  return `${counted(files, 'file')}, ${counted(errors, 'error')}, ${counted(warnings, 'warning')}`;
}
