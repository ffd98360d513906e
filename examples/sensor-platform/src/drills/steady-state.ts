import type { DrillRun, Probe, Traffic } from '@holdfast/drill';
import type { Platform } from './platform.ts';

/** Begins a drill: nothing may be broken yet, or the drill would prove nothing. */
export async function steadyState(run: DrillRun, platform: Platform): Promise<void> {
  await run.waitUntil('Before: all is healthy, logins work, no event waits.', async () => {
    const login = await run.http.send(platform.login);
    if (login.status !== 200) return `login: ${login.status} ${login.text}`;
    const healthy = await isHealthy(run, platform)();
    return healthy === true ? isDrained(run, platform)() : healthy;
  });
}

/** Starts sensor tests in the background and waits until ten of them are accepted. */
export async function withTraffic(
  run: DrillRun,
  platform: Platform,
  perSecond = 20,
): Promise<Traffic> {
  const traffic = run.traffic(platform.sensorTest, perSecond);
  await moreAccepted(run, traffic, 10);
  return traffic;
}

/** Waits until the background traffic got `count` more yeses than it has now. */
export async function moreAccepted(run: DrillRun, traffic: Traffic, count: number): Promise<void> {
  const enough = traffic.accepted() + count;
  await run.waitUntil(`${count} tests of the traffic are accepted.`, async () => {
    return traffic.accepted() >= enough || `${traffic.accepted()} of ${enough}`;
  });
}

/** The recovery that every drill measures; `firstGood` asks for what the fault had taken away. */
export async function recovered(
  run: DrillRun,
  platform: Platform,
  firstGood: Probe = acceptsTests(run, platform),
): Promise<void> {
  await run.recovered({
    'first good answer': firstGood,
    'all healthy': isHealthy(run, platform),
    'queue empty': isDrained(run, platform),
  });
}

/** Whether a sensor test is accepted, and not only in a degraded way. */
export function acceptsTests(run: DrillRun, platform: Platform): Probe {
  return async () => {
    const { status, text, json } = await run.submitQuietly(platform.sensorTest);
    return (status === 202 && json.auth !== 'degraded') || `${status} ${text}`;
  };
}

export function logsIn(run: DrillRun, platform: Platform): Probe {
  return async () => {
    const { status, text } = await run.http.send(platform.login);
    return status === 200 || `${status} ${text}`;
  };
}

export function isDrained(run: DrillRun, platform: Platform): Probe {
  return async () => {
    const { json, text } = await run.http.send(platform.stats);
    return json.queued === 0 || text;
  };
}

function isHealthy(run: DrillRun, platform: Platform): Probe {
  return async () => {
    const { json, text } = await run.http.send(platform.health);
    return json.status === 'healthy' || text;
  };
}
