/** Digits after which a 32-bit number can be told from every other. */
const MOST_DIGITS = 9;

/**
 * A number as Dapr's reader of YAML gives it to a text field: the shortest digits that
 * name it in 32 bits, with an exponent from a million on and below a ten-thousandth.
 */
export function goFloat(value: number): string {
  const single = Math.fround(value);
  if (Number.isNaN(single)) return 'NaN';
  if (!Number.isFinite(single)) return single > 0 ? '+Inf' : '-Inf';
  let written = '';
  for (let digits = 1; digits <= MOST_DIGITS; digits += 1) {
    written = single.toExponential(digits - 1);
    if (Math.fround(Number(written)) === single) break;
  }
  const [digits = '', exponent = ''] = written.split('e');
  const tens = Number(exponent);
  if (tens >= -4 && tens < 6) return plain(digits, tens);
  return `${digits}e${exponent[0]}${String(Math.abs(tens)).padStart(2, '0')}`;
}

/** `1.5` and 3 tens is `1500`. */
function plain(digits: string, tens: number): string {
  const places = Math.max(0, digits.replace(/^-?\d\.?/, '').length - tens);
  return Number(`${digits}e${tens}`).toFixed(places);
}
