/** Throws a `RangeError` that names the option, the rule and the value that broke it. */
export function checkInteger(option: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(`${option} must be a whole number from ${min} to ${max}, not ${value}.`);
}
