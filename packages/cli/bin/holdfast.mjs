#!/usr/bin/env node
import { launch } from './launch.mjs';

await launch('holdfast', import.meta.url, { flags: [], env: process.env });
