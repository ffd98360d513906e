import { item, type Step } from './state.ts';

/** How a key is written in a path. */
export const STATE_KEYS: Readonly<Record<string, readonly Step[]>> = {
  'a key may need escapes': [
    { send: ['POST', '$S', item('a key/with%', 1)], expect: [204, ''] },
    { send: ['GET', '$S/a%20key%2Fwith%25'], expect: [200, 1] },
  ],
  'a plus in a path is a blank, and an escaped one a plus': [
    { send: ['POST', '$S', [...item('p q', 1), ...item('p+q', 2)]], expect: [204, ''] },
    { send: ['GET', '$S/p+q'], expect: [200, 1] },
    { send: ['GET', '$S/p%2Bq'], expect: [200, 2] },
    { send: ['DELETE', '$S/p+q'], expect: [204, ''] },
    { send: ['GET', '$S/p%20q'], expect: [204, ''] },
    { send: ['GET', '$S/p%2bq'], expect: [200, 2] },
  ],
};
