import { createContextKey } from '@connectrpc/connect';

/** The metadata of a call as they came, `name, value, …`: a line for each value, where `Headers` makes one of all. */
export const METADATA = createContextKey<readonly string[]>([], { description: 'metadata' });
