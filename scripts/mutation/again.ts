import type { schema } from '@stryker-mutator/api/core';

type Report = schema.MutationTestResult;

/** What tells a mutant from all others over the same source: two may begin at the same place. */
export function placeOf(
  fileName: string,
  mutant: Pick<schema.MutantResult, 'location' | 'mutatorName' | 'replacement'>,
): string {
  const { start, end } = mutant.location;
  return [
    fileName,
    `${start.line}:${start.column}–${end.line}:${end.column}`,
    mutant.mutatorName,
    mutant.replacement,
  ].join('\n');
}

/** The places of the mutants that a run left alive: what is worth asking again once there are more tests. */
export function survivingPlaces(report: Report): string[] {
  return Object.entries(report.files).flatMap(([fileName, { mutants }]) =>
    mutants.filter(({ status }) => isAlive(status)).map((mutant) => placeOf(fileName, mutant)),
  );
}

/** Files whose code is no longer what the run was about: its figures say nothing about them. */
export function changedFiles(report: Report, read: (fileName: string) => string): string[] {
  return Object.entries(report.files)
    .filter(([fileName, { source }]) => read(fileName) !== source)
    .map(([fileName]) => fileName);
}

/** What the first run found out, and of its survivors what the second did. */
export function withSecond(first: Report, second: Report): Report {
  const again = new Map(
    Object.entries(second.files).flatMap(([fileName, { mutants }]) =>
      mutants.map((mutant) => [placeOf(fileName, mutant), mutant] as const),
    ),
  );
  const files = Object.entries(first.files).map(([fileName, file]) => {
    const mutants = file.mutants.map((mutant) =>
      isAlive(mutant.status) ? (again.get(placeOf(fileName, mutant)) ?? mutant) : mutant,
    );
    return [fileName, { ...file, mutants }];
  });
  return { ...first, files: Object.fromEntries(files) };
}

const isAlive = (status: schema.MutantStatus) => status === 'Survived' || status === 'NoCoverage';
