import type http from 'node:http';

/**
 * `node:http`, taken in a way that leaves its lazy parts alone. A plain import
 * reads every export once, and one of them (`WebSocket`) loads node's whole
 * fetch with it: time and memory at each start for something never used.
 */
export const nodeHttp: typeof http = process.getBuiltinModule('node:http');
