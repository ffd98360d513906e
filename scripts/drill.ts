/**
 * `npm run drill -- NAME…`: drills of the sensor platform, or `crash`, which needs no platform: it kills
 * the processes of the outbox itself.
 */
const [name, ...rest] = process.argv.slice(2);
if (name === 'crash') {
  const { crashDrill } = await import('../tests/drills/crash/crash-drill.ts');
  process.exitCode = await crashDrill(rest);
} else {
  process.argv.splice(2, 0, '--drill');
  await import('../examples/sensor-platform/src/start.ts');
}
