const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
};

/** `100Mi`, `5M` or a number of bytes; undefined for what is none. */
export function byteSize(text: string): number | undefined {
  const [, digits = '', unit = ''] = /^(-?\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(text) ?? [];
  const factor = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  return digits === '' || factor === undefined ? undefined : Math.floor(Number(digits) * factor);
}
