// Host functions of Proxy-Wasm ABI 0.2.1. The import module is this file's name. Each returns a status, 0 for success.

export declare function proxy_log(level: i32, message: usize, size: i32): i32;
export declare function proxy_get_current_time_nanoseconds(time: usize): i32;
export declare function proxy_set_effective_context(id: u32): i32;
export declare function proxy_set_tick_period_milliseconds(period: i32): i32;

export declare function proxy_get_buffer_bytes(type: i32, start: i32, maximum: i32, data: usize, size: usize): i32;
export declare function proxy_get_header_map_value(map: i32, key: usize, keySize: i32, data: usize, size: usize): i32;
export declare function proxy_replace_header_map_value(
  map: i32,
  key: usize,
  keySize: i32,
  value: usize,
  valueSize: i32,
): i32;
export declare function proxy_add_header_map_value(
  map: i32,
  key: usize,
  keySize: i32,
  value: usize,
  valueSize: i32,
): i32;
export declare function proxy_remove_header_map_value(map: i32, key: usize, keySize: i32): i32;

export declare function proxy_set_buffer_bytes(type: i32, start: i32, maximum: i32, data: usize, size: i32): i32;
export declare function proxy_continue_stream(type: i32): i32;
export declare function proxy_send_local_response(
  status: i32,
  details: usize,
  detailsSize: i32,
  body: usize,
  bodySize: i32,
  headers: usize,
  headersSize: i32,
  grpcStatus: i32,
): i32;
export declare function proxy_http_call(
  cluster: usize,
  clusterSize: i32,
  headers: usize,
  headersSize: i32,
  body: usize,
  bodySize: i32,
  trailers: usize,
  trailersSize: i32,
  timeout: i32,
  token: usize,
): i32;

export declare function proxy_get_property(path: usize, pathSize: i32, data: usize, size: usize): i32;
export declare function proxy_set_property(path: usize, pathSize: i32, value: usize, valueSize: i32): i32;

export declare function proxy_define_metric(type: i32, name: usize, nameSize: i32, id: usize): i32;
export declare function proxy_increment_metric(id: i32, offset: i64): i32;
export declare function proxy_record_metric(id: i32, value: u64): i32;

export declare function proxy_call_foreign_function(
  name: usize,
  nameSize: i32,
  argument: usize,
  argumentSize: i32,
  data: usize,
  size: usize,
): i32;
