import assert from 'node:assert/strict';
import { test } from 'node:test';
import { platformHealth } from './platform-health.ts';

const pass = { status: 'pass' } as const;
const up = { checks: { database: pass, broker: pass } };

test('the platform is healthy when all services and what they need are up', () => {
  const { status, services, checks } = platformHealth(
    { auth: up, sensor: up, event: up, 'event-sink': up },
    [],
  );

  assert.deepEqual(
    { status, services, checks },
    {
      status: 'healthy',
      services: { auth: 'up', sensor: 'up', event: 'up', 'event-sink': 'up' },
      checks: { database: 'up', 'auth-database': 'up', broker: 'up' },
    },
  );
});

test('a database that is down shows as down, its service as up', () => {
  const { status, services, checks } = platformHealth(
    { auth: up, sensor: { checks: { database: { status: 'fail' } } }, event: up, 'event-sink': up },
    [],
  );

  assert.deepEqual([status, services.sensor, checks.database], ['degraded', 'up', 'down']);
});

test('what only a dead service could know is unknown', () => {
  const { status, services, checks } = platformHealth(
    { auth: undefined, sensor: up, event: up, 'event-sink': up },
    [],
  );

  assert.deepEqual(
    [status, services.auth, checks['auth-database']],
    ['degraded', 'down', 'unknown'],
  );
});
