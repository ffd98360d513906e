// A published package stands on it (`@holdfast/messaging/testing/kafka`), and none stands on this one.
export { freePort } from '../../../packages/messaging/src/testing/servers/free-port.ts';
