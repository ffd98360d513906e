/** Table and trigger as Dapr's documentation has them. */
export const TABLE = `
DROP TABLE IF EXISTS conf;
CREATE TABLE conf (key VARCHAR NOT NULL, value VARCHAR NOT NULL, version VARCHAR NOT NULL, metadata JSON);
INSERT INTO conf VALUES
  ('a', '1', 'v1', '{"m": "x"}'),
  ('b', 'old', '1', NULL), ('b', 'new', '2', '{}'), ('b', 'older', '0', '{"z": "1"}'),
  ('c', '', '', NULL),
  ('d', 'two', 'x', NULL), ('d', 'twice', 'y', NULL);
CREATE OR REPLACE FUNCTION tell() RETURNS TRIGGER AS $$
  DECLARE data json;
  BEGIN
    IF (TG_OP = 'DELETE') THEN data = row_to_json(OLD); ELSE data = row_to_json(NEW); END IF;
    PERFORM pg_notify('conf', json_build_object('table', TG_TABLE_NAME, 'action', TG_OP, 'data', data)::text);
    RETURN NULL;
  END;
$$ LANGUAGE plpgsql;
CREATE TRIGGER conf AFTER INSERT OR UPDATE OR DELETE ON conf FOR EACH ROW EXECUTE PROCEDURE tell();`;

export const A = { value: '1', version: 'v1', metadata: { m: 'x' } };
export const B = { value: 'new', version: '2' };
const D = { value: 'two', version: 'x' };

/** Over HTTP: a path, what it is answered, and where daprd answers otherwise. */
export const GETS: readonly (readonly [path: string, expected: unknown, daprd?: unknown])[] = [
  ['own?key=a', [200, { a: A }]],
  ['own?key=b', [200, { b: B }]],
  // What is empty is not shown.
  ['own?key=c', [200, { c: {} }]],
  // Versions that are no numbers: the first row.
  ['own?key=d', [200, { d: D }]],
  ['own?key=nowhere', [204, '']],
  ['own?key=', [204, '']],
  ['own?key=a&key=b', [200, { a: A, b: B }]],
  ['own', [200, { a: A, b: B, c: {}, d: D }]],
  ['bare?key=a', [200, { a: A }]],
  [
    'own?key=a-b',
    failed('GET', "failed to get [a-b] from Configuration store own: invalid key : 'a-b'"),
  ],
  [
    "own?key=a'b",
    failed('GET', "failed to get [a'b] from Configuration store own: invalid key : 'a'b'"),
  ],
  // daprd asks the database whether the name of each is its value.
  ['own?key=a&metadata.x=1', [200, { a: A }], [204, '']],
  ['own?metadata.x=1', [200, { a: A, b: B, c: {}, d: D }]],
  ['bare/subscribe?key=a', unsubscribable('')],
  ['bare/subscribe?key=a&metadata.pgNotifyChannel=CONF', unsubscribable('CONF')],
  ['bare/subscribe?key=a&metadata.pgNotifyChannel=a-b', unsubscribable('a-b')],
  [
    'own/x/unsubscribe',
    [
      500,
      {
        message:
          'failed to unsubscribe to configuration request x: unable to find subscription with ID : x',
      },
    ],
  ],
];

function failed(what: string, message: string) {
  return [500, { errorCode: `ERR_CONFIGURATION_${what}`, message }];
}

function unsubscribable(channel: string) {
  const why =
    channel === ''
      ? 'unable to subscribe to "conf". notifyChannel must be set in component metadata or request metadata'
      : `invalid notifyChannel name "${channel}". non-alphanumerics or upper cased names are not supported`;
  return failed('SUBSCRIBE', `failed to subscribe [a] from Configuration store bare: ${why}`);
}
