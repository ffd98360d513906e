/**
 * A Configuration that lets all sidecars of this user on this machine find one
 * another through one file. It is read before the app's own, which may name
 * another resolver.
 */
export function namesConfiguration(database: string): string {
  return `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata:
  name: holdfast-names
spec:
  nameResolution:
    component: sqlite
    version: v1
    configuration:
      connectionString: ${JSON.stringify(uriPath(database))}
`;
}

/** A connection string is read as a URI, also where it is a path. */
const uriPath = (path: string): string => path.replaceAll(/[%?#]/g, encodeURIComponent);
