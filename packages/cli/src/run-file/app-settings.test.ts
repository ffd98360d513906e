import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type AppSettings, settleApp } from './app-settings.ts';
import type { AppEntry, SharedSettings } from './run-file.ts';

type Case = readonly [
  what: string,
  given: { app?: Partial<AppEntry>; common?: SharedSettings; files?: readonly string[] },
  expected: Partial<AppSettings>,
];

const LOCAL = ['/app/.dapr/resources', '/app/.dapr/config.yaml'];
const USERS = ['/home/me/.dapr/components', '/home/me/.dapr/config.yaml'];
const common = { resourcesPaths: ['/common'], configFilePath: '/common.yaml' };

const PRECEDENCE: readonly Case[] = [
  [
    'the app’s own paths win over all others',
    {
      app: { resourcesPaths: ['/own'], configFilePath: '/own.yaml' },
      common,
      files: [...LOCAL, ...USERS],
    },
    { resourcesPaths: ['/own'], configFilePath: '/own.yaml' },
  ],
  [
    'what lies in the app’s .dapr wins over common',
    { common, files: [...LOCAL, ...USERS] },
    { resourcesPaths: ['/app/.dapr/resources'], configFilePath: '/app/.dapr/config.yaml' },
  ],
  [
    'common wins over the user’s',
    { common, files: USERS },
    { resourcesPaths: ['/common'], configFilePath: '/common.yaml' },
  ],
  [
    'the user’s are used when nobody says anything',
    { files: USERS },
    { resourcesPaths: ['/home/me/.dapr/components'], configFilePath: '/home/me/.dapr/config.yaml' },
  ],
  ['without any there is none', {}, { resourcesPaths: [] }],
  [
    'the old single path is added to the list',
    { app: { resourcesPaths: ['/a'], resourcesPath: '/b' } },
    { resourcesPaths: ['/a', '/b'] },
  ],
  [
    'variables are merged name by name',
    { app: { env: { A: 'app' } }, common: { env: { A: 'common', B: 'common' } } },
    { env: { A: 'app', B: 'common' } },
  ],
  [
    'of other keys the app’s word wins, false and 0 as well',
    {
      app: { enableApiLogging: false, appMaxConcurrency: 0 },
      common: { enableApiLogging: true, appMaxConcurrency: 5, logLevel: 'debug' },
    },
    { enableApiLogging: false, appMaxConcurrency: 0, logLevel: 'debug' },
  ],
  ['appSSL is https', { common: { appSSL: true } }, { appProtocol: 'https' }],
  [
    'logs go where Dapr puts them',
    { common: { daprdLogDestination: 'console' } },
    { daprdLogDestination: 'console', appLogDestination: 'fileAndConsole' },
  ],
];

describe('the settings of an app', () => {
  for (const [what, given, expected] of PRECEDENCE) {
    test(what, () => {
      const settled = settle(given);
      const looked = Object.keys(expected) as (keyof AppSettings)[];
      assert.deepEqual(Object.fromEntries(looked.map((key) => [key, settled[key]])), expected);
    });
  }
});

function settle({ app = {}, common: shared = {}, files = [] }: Case[1]): AppSettings {
  const entry: AppEntry = { appID: 'a', appDirPath: '/app', ...app };
  const runFile = {
    dir: '/',
    version: 1 as const,
    common: shared,
    apps: [entry],
    holdfast: { processes: [] },
  };
  return settleApp(runFile, entry, { exists: (path) => files.includes(path), homeDir: '/home/me' });
}
