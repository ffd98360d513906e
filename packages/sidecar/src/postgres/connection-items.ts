/** Items that are about the connection; whatever else a string holds is a parameter of the session. */
const OF_CONNECTION =
  /^(?:user|password|host|hostaddr|port|database|ssl.*|connect_timeout|pool_.*|application_name|target_session_attrs|passfile|service.*|krb.*|default_query_exec_mode|statement_cache_capacity|description_cache_capacity)$/;

/** Those of them that we do something with. */
const HEEDED =
  /^(?:user|password|host|hostaddr|port|database|ssl(?:mode|rootcert|cert|key)|connect_timeout|application_name|target_session_attrs|pool_(?:max_conns|min_conns|max_conn_idle_time|max_conn_lifetime))$/;

export const isOfSession = (name: string): boolean => !OF_CONNECTION.test(name);

/** Said, and without effect here. */
export const isUnheeded = (name: string): boolean => OF_CONNECTION.test(name) && !HEEDED.test(name);

/** Both forms of a connection string: an URL, and `name=value` with spaces between. */
export function connectionItems(text: string): Map<string, string> {
  const items = /^postgres(?:ql)?:\/\//.test(text) ? urlItems(text) : dsnItems(text);
  const database = items.get('dbname');
  if (database !== undefined) items.set('database', database);
  items.delete('dbname');
  return items;
}

function urlItems(text: string): Map<string, string> {
  // Several hosts with their ports are no URL: the first stands for them.
  const [, scheme = '', user = '', hosts = '', rest = ''] =
    /^(postgres(?:ql)?:\/\/)([^@/?#]*@)?([^/?#]*)(.*)$/s.exec(text) ?? [];
  const several = hosts.includes(',') ? hosts.split(',').map(hostAndPort) : undefined;
  let url: URL;
  try {
    url = new URL(several === undefined ? text : `${scheme}${user}localhost${rest}`);
  } catch {
    // The text itself may hold a password: it is not repeated.
    throw new Error('invalid URL connection string');
  }
  const given: [string, string][] = [
    ['user', decodeURIComponent(url.username)],
    ['password', decodeURIComponent(url.password)],
    [
      'host',
      several?.map(({ host }) => host).join(',') ??
        decodeURIComponent(url.hostname.replace(/^\[|\]$/g, '')),
    ],
    [
      'port',
      several
        ?.map(({ port }) => port)
        .filter(Boolean)
        .join(',') ?? url.port,
    ],
    ['database', decodeURIComponent(url.pathname.replace(/^\//, ''))],
    ...url.searchParams,
  ];
  return new Map(given.filter(([, value]) => value !== ''));
}

function hostAndPort(text: string): { readonly host: string; readonly port: string } {
  const [, bracketed, plain = '', port = ''] =
    /^(?:\[([^\]]*)\]|([^:]*))(?::(\d*))?$/.exec(text) ?? [];
  return { host: decodeURIComponent(bracketed ?? plain), port };
}

function dsnItems(text: string): Map<string, string> {
  const items = new Map<string, string>();
  for (const [, name = '', quoted, bare] of text.matchAll(
    /([\w.]+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s\\]|\\.)*))/g,
  )) {
    items.set(name, (quoted ?? bare ?? '').replaceAll(/\\(.)/g, '$1'));
  }
  return items;
}
