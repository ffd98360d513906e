import type { SidecarSoak } from './soak-sidecar.ts';

/**
 * How much more both sidecars together may weigh at the end than when they were
 * warm. Node gives memory back late and by its own lights: a leak of 10 bytes a
 * call is past this within minutes.
 */
const GROWTH_MB = 40;
/** Connections come and go; those that only come do so with each kill. */
const GROWTH_FILES = 150;

/** What was wrong, in words; nothing where all was well. */
export function verdict(soak: SidecarSoak): {
  readonly faults: readonly string[];
  readonly grownMb: number;
} {
  const { lost, openFiles, recoveriesMs, residentMb } = soak;
  const stuck = recoveriesMs.filter((ms) => ms === Infinity).length;
  const grownMb = growth(residentMb);
  const grownFiles = growth(openFiles);
  const faults = [
    ...(lost.length > 0
      ? [`${lost.length} answers were lost: ${lost.slice(0, 5).join('; ')}`]
      : []),
    ...(stuck > 0 ? [`${stuck} times the application was back and nothing was served`] : []),
    ...(grownMb > GROWTH_MB ? [`they grew by ${Math.round(grownMb)} MB`] : []),
    ...(grownFiles > GROWTH_FILES ? [`they hold ${grownFiles} files more`] : []),
  ];
  return { faults, grownMb };
}

/** From the first third that was warm to the last; by medians, since single values jump. */
function growth(values: readonly number[]): number {
  const third = Math.max(1, Math.floor(values.length / 3));
  const warm = values.slice(Math.min(1, values.length - 1), 1 + third);
  return median(values.slice(-third)) - median(warm.length > 0 ? warm : values);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
