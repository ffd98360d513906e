import { fromBinary } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { StatusSchema } from '../protos/error_details_pb.ts';

/** What `grpc-status-details-bin` says, base64 of a `google.rpc.Status`; nothing where it cannot be read: that is no reason to lose the error. */
export function statusDetails(base64: string | undefined): readonly Any[] {
  if (base64 === undefined) return [];
  try {
    return fromBinary(StatusSchema, Buffer.from(base64, 'base64')).details;
  } catch {
    return [];
  }
}
