#!/usr/bin/env node
import { launch } from './launch.mjs';
import { sidecarEnv, sidecarNodeFlags } from './sidecar-node.mjs';

await launch('holdfastd', import.meta.url, {
  flags: sidecarNodeFlags(process.execArgv, process.env.NODE_OPTIONS),
  env: sidecarEnv(process.env),
});
