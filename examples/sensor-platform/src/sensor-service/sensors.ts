import type { Clock, Random } from '@holdfast/core';

/** What each kind of sensor measures, in which unit and range. */
export const SENSORS: Readonly<Record<string, Sensor>> = {
  temperature: { unit: '°C', from: -20, to: 60 },
  humidity: { unit: '%', from: 0, to: 100 },
  pressure: { unit: 'hPa', from: 950, to: 1_050 },
  light: { unit: 'lx', from: 0, to: 20_000 },
  vibration: { unit: 'mm/s', from: 0, to: 50 },
  faulty: 'broken',
};

/** `broken` never answers: its tests end as `failed`, with the reason. */
export type Sensor =
  | { readonly unit: string; readonly from: number; readonly to: number }
  | 'broken';

export interface Reading {
  readonly value: number;
  readonly unit: string;
}

/** A simulated measurement, which takes 10 to 40 ms. */
export async function readSensor(
  sensor: Sensor,
  { clock, random, signal }: { clock: Clock; random: Random; signal: AbortSignal },
): Promise<Reading> {
  await clock.sleep(10 + 30 * random.next(), signal);
  if (sensor === 'broken') throw new Error('The sensor does not answer');
  const value = sensor.from + (sensor.to - sensor.from) * random.next();
  return { value: Math.round(value * 100) / 100, unit: sensor.unit };
}
