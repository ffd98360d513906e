/** From the slashes of a URL to the `@` before its host, each as it is or as its escape. */
const CREDENTIALS = /((?::|%3a)(?:\/|%2f){2})(?:(?!\/|%2f)[^?#\s"])*(?:@|%40)/gi;

/**
 * A text without the `user:password@` of the URLs in it. Targets may be URLs, and every path, name, label
 * and message that has one is read by others than those who may know the password.
 */
export function withoutCredentials(text: string): string {
  // Nearly always: this is on the way of every request.
  if (!text.includes('@') && !text.includes('%40')) return text;
  return text.replace(CREDENTIALS, '$1');
}
