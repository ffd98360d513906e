#!/usr/bin/env node
import { launch } from './launch.mjs';

// A sidecar's objects die within a request: a small young generation keeps its memory small.
await launch('holdfastd', import.meta.url, ['--max-semi-space-size=4']);
