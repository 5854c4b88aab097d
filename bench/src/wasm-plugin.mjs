import { assemble, moduleText } from "../../packages/wasm/dist/testing/index.js";

const TEXTS = `(data (i32.const 0) ":path:authority:methodx-one,x-two,x-three,x-fourvalue-of-a-header:status")
  (data (i32.const 200) "request\\00path") (data (i32.const 220) "counter")`;

const read = (map, at, size) =>
  `(drop (call $proxy_get_header_map_value (i32.const ${map}) (i32.const ${at}) (i32.const ${size}) (i32.const 300) (i32.const 304)))`;
const add = (map, at, size) =>
  `(drop (call $proxy_add_header_map_value (i32.const ${map}) (i32.const ${at}) (i32.const ${size}) (i32.const 46) (i32.const 17)))`;
const PROPERTY = "(drop (call $proxy_get_property (i32.const 200) (i32.const 12) (i32.const 300) (i32.const 304)))";
const COUNT = "(drop (call $proxy_increment_metric (i32.const 4) (i64.const 1)))";

/** What the allocator gave is taken back at the beginning of each callback. */
const callback = (name, body) => `(func (export "proxy_on_${name}") (param i32 i32 i32) (result i32)
  (global.set $heap (i32.const 4096)) ${body} (i32.const 0))`;

/** A plugin with two callbacks, twelve host calls and four added headers; it counts them in `counter`. */
export const PLUGIN = `${TEXTS}
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
    (drop (call $proxy_define_metric (i32.const 0) (i32.const 220) (i32.const 7) (i32.const 300))) (i32.const 1))
  ${callback("request_headers", read(0, 0, 5) + read(0, 5, 10) + PROPERTY + add(0, 22, 5) + add(0, 28, 5) + COUNT)}
  ${callback("response_headers", read(2, 63, 7) + read(2, 15, 7) + PROPERTY + add(2, 22, 5) + add(2, 28, 5) + COUNT)}`;

export function pluginBytes() {
  return assemble(moduleText(PLUGIN));
}
