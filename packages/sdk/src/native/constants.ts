/** Header maps: the numbers of the Proxy-Wasm ABI. */
export const REQUEST_HEADERS: i32 = 0;
/** The trailers of the request. */
export const REQUEST_TRAILERS: i32 = 1;
/** The headers of the response. */
export const RESPONSE_HEADERS: i32 = 2;
/** The trailers of the response. */
export const RESPONSE_TRAILERS: i32 = 3;

/** Results of stream callbacks. */
export const CONTINUE: i32 = 0;
/** Nothing goes on in this direction until the plugin says so. */
export const PAUSE: i32 = 1;

/** Log levels. */
export const LOG_DEBUG: i32 = 1;
/** Log level. */
export const LOG_INFO: i32 = 2;
/** Log level. */
export const LOG_WARN: i32 = 3;
/** Log level. */
export const LOG_ERROR: i32 = 4;

/** Values of `xds.listener_direction`. */
export const DIRECTION_UNSPECIFIED: i32 = 0;
/** The listener takes what comes in. */
export const DIRECTION_INBOUND: i32 = 1;
/** The listener takes what goes out. */
export const DIRECTION_OUTBOUND: i32 = 2;
