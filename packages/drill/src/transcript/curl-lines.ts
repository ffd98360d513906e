import { type Answer, type DrillRequest, encodeForm } from '../load/http-client.ts';

const LONGEST_SHOWN = 800;

/** The request as a command that a reader can type, with `<token>` in place of credentials. */
export function curlLines(baseUrl: string, request: DrillRequest): readonly string[] {
  const { method = 'GET', path, headers = {}, form } = request;
  const parts = [
    `curl${method === 'GET' ? '' : ` -X ${method}`} ${baseUrl}${path}`,
    ...Object.entries(headers).map(([name, value]) => `-H "${name}: ${withoutToken(name, value)}"`),
    ...(form === undefined ? [] : [`-d "${encodeForm(form)}"`]),
  ];
  return parts.map((part, index) => {
    const line = index === 0 ? part : `  ${part}`;
    return index === parts.length - 1 ? line : `${line} \\`;
  });
}

/** What came back, in one line, without secrets. */
export function answerText(answer: Answer): string {
  if (answer.status === 0) return answer.problem ?? 'no answer';
  const text = answer.text
    .replaceAll(/("[a-z_]*token":\s*")[^"]{20,}"/g, '$1<token>"')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

function withoutToken(name: string, value: string): string {
  return name.toLowerCase() === 'authorization' ? value.replace(/\S+$/, '<token>') : value;
}
