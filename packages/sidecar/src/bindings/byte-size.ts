const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 1024,
  Mi: 1024 ** 2,
  Gi: 1024 ** 3,
  Ti: 1024 ** 4,
  Pi: 1024 ** 5,
};

/** A number and its unit, or its power of ten. */
const QUANTITY = /^([+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)([A-Za-z]*)$/;

/** `100Mi`, `5M`, `2e6` or a number of bytes; undefined for what is none. */
export function byteSize(text: string): number | undefined {
  const [, digits = '', unit = ''] = QUANTITY.exec(text) ?? [];
  const factor = Object.hasOwn(UNITS, unit) ? UNITS[unit] : undefined;
  return digits === '' || factor === undefined ? undefined : Math.floor(Number(digits) * factor);
}
