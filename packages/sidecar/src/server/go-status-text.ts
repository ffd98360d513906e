import { nodeHttp } from './node-http.ts';

/** Where Go's names of statuses are not Node's; it has none for 509. */
const GO_NAMES: Readonly<Record<number, string>> = {
  413: 'Request Entity Too Large',
  414: 'Request URI Too Long',
  416: 'Requested Range Not Satisfiable',
  418: "I'm a teapot",
  509: '',
};

/** The name of an HTTP status as Go has it; empty where it has none. */
export const goStatusText = (status: number): string =>
  GO_NAMES[status] ?? nodeHttp.STATUS_CODES[status] ?? '';
