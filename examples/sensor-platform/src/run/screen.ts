import { NAME, type Platform } from './start-platform.ts';

export const HELP = `npm start [-- options]          starts the sensor platform

  --fresh                       forget everything that was kept from earlier starts
  --port N                      where the gateway listens (default 8000); 0: all ports are free ones
  --broker mqtt                 the broker: an MQTT broker of ours (default),
           kafka                Apache Kafka, started here (needs Java and Maven),
           kafka://host:port    or a Kafka that runs already
  --data DIR                    where state is kept (default examples/sensor-platform/.holdfast/sensor-platform)
  --drill all|NAME              holds the drills instead of waiting; status 0 if nothing was lost
  --help
`;

/** What a stranger reads first: that it runs, what to try, and how to break it. */
export function welcome({ url, run }: Platform, tookMs: number): string {
  const processes = run.ps();
  const names = processes.filter(({ role }) => role !== 'sidecar').map(({ name }) => name);
  const metrics = processes.find(({ name }) => name === 'api-gateway-sidecar')?.ports.metrics;
  // The second platform on a machine has to be named.
  const which = run.name === NAME ? '' : ` --run ${run.name}`;
  const tries = [
    [`npx holdfast kill auth-service${which}`, 'no login, but tests go on: "auth":"degraded"'],
    [`npx holdfast kill broker${which}`, `events wait: curl ${url}/kafka/stats`],
    [`npx holdfast kill sensor-postgres${which}`, '{"error":"Database unavailable"}, at once'],
    [`npx holdfast start NAME${which}`, 'it recovers by itself'],
    [`npx holdfast ps${which}`, 'everything that runs, by name'],
    [`curl ${url}/health`, 'what is up, what is down, which circuits are open'],
    [`curl http://localhost:${metrics}/metrics`, "what the gateway's sidecar counts"],
  ] as const;
  const width = Math.max(...tries.map(([command]) => command.length));

  return `
The sensor platform runs: ${processes.length} processes, started in ${(tookMs / 1_000).toFixed(1)} s.

  ${names.join(', ')}
  and a sidecar beside each service (its policies: examples/sensor-platform/resources/resiliency.yaml)

Log in, test a sensor, see what became of it and of its event:

  TOKEN=$(curl -s -X POST ${url}/auth/token -d "username=admin&password=admin123" | cut -d'"' -f4)
  curl -X POST ${url}/test/sensor/temperature -H "Authorization: Bearer $TOKEN"
  curl ${url}/test/<test_id>
  curl ${url}/events/delivered

Now break it, in another terminal, and try again. What was accepted is never lost:

${tries.map(([command, what]) => `  ${command.padEnd(width)}   ${what}`).join('\n')}

Ctrl-C ends everything; what was kept is there again at the next start. All drills, one after the other:
npm start -- --drill all
`;
}
