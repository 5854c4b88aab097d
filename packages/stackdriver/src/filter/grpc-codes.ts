/** HTTP's code for each status of gRPC from 0 on [telemetry §5.3]. */
const HTTP_CODES = [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401];

/** The code that a gRPC answer is counted under; `missing` where it has no status that is known. */
export function codeOfGrpcStatus(status: number, missing: number): number {
  return HTTP_CODES[status] ?? missing;
}
