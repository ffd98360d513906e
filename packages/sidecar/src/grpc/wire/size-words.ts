import type { Http2ServerResponse } from 'node:http2';

const TOO_LARGE =
  /^message%20size%20(?:(\d+)%20)?is%20larger%20than%20configured%20readMaxBytes%20(\d+)$/;

/** Where connect refuses a message for its size, what Go's servers say: clients look for it. */
export function speakOfSize(res: Http2ServerResponse): void {
  const add = res.addTrailers.bind(res);
  res.addTrailers = (trailers) => add(worded(trailers));
}

type Trailers = Parameters<Http2ServerResponse['addTrailers']>[0];

function worded(trailers: Trailers): Trailers {
  const { 'grpc-message': said } = trailers;
  const [whole, bytes, limit] = (typeof said === 'string' && TOO_LARGE.exec(said)) || [];
  if (whole === undefined) return trailers;
  const words =
    bytes === undefined
      ? `grpc: received message after decompression larger than max ${limit}`
      : `grpc: received message larger than max (${bytes} vs. ${limit})`;
  return { ...trailers, 'grpc-message': words };
}
