import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveSidecarOptions, type SidecarOptions } from './options.ts';

test('one port for the application and its sidecar is refused', () => {
  const refused = (given: Partial<SidecarOptions>) => {
    try {
      resolveSidecarOptions({ appId: 'a', ...given });
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };

  assert.deepEqual(
    [
      refused({ appPort: 3500 }),
      refused({ appPort: 81, grpcPort: 81 }),
      refused({ appPort: 3500, unixDomainSocket: '/tmp' }),
    ],
    [
      'sidecar.httpPort (--dapr-http-port) and sidecar.appPort (--app-port) are both 3500: choose another for one of them.',
      'sidecar.grpcPort (--dapr-grpc-port) and sidecar.appPort (--app-port) are both 81: choose another for one of them.',
      undefined,
    ],
  );
});
