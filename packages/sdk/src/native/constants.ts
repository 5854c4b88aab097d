/** Header maps: the numbers of the Proxy-Wasm ABI. */
export const REQUEST_HEADERS: i32 = 0;
export const REQUEST_TRAILERS: i32 = 1;
export const RESPONSE_HEADERS: i32 = 2;
export const RESPONSE_TRAILERS: i32 = 3;

/** Results of stream callbacks. */
export const CONTINUE: i32 = 0;
export const PAUSE: i32 = 1;

/** Log levels. */
export const LOG_DEBUG: i32 = 1;
export const LOG_INFO: i32 = 2;
export const LOG_WARN: i32 = 3;
export const LOG_ERROR: i32 = 4;

/** Values of `xds.listener_direction`. */
export const DIRECTION_UNSPECIFIED: i32 = 0;
export const DIRECTION_INBOUND: i32 = 1;
export const DIRECTION_OUTBOUND: i32 = 2;
