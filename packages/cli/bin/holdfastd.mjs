#!/usr/bin/env node
import { launch } from './launch.mjs';
import { sidecarEnv, sidecarFlags } from './sidecar-node.mjs';

await launch('holdfastd', import.meta.url, {
  flags: sidecarFlags(process.execArgv, process.env.NODE_OPTIONS),
  env: sidecarEnv(process.env),
});
