const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** In the largest unit that fits: `3d`, `12m`. */
export function age(ms: number): string {
  const unit = UNITS.find(([, size]) => ms >= size);
  return unit === undefined ? '0s' : `${Math.floor(ms / unit[1])}${unit[0]}`;
}
