use proxy_wasm::traits::*;
use proxy_wasm::types::*;

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| -> Box<dyn HttpContext> { Box::new(Key) });
}}

/// Refuses requests without a key, and lets the callback go on all the same: the reply has to win.
struct Key;

impl Context for Key {}

impl HttpContext for Key {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        if self.get_http_request_header("x-key").is_none() {
            self.send_http_response(401, vec![("content-type", "application/json")], Some(b"{\"error\":\"no key\"}"));
        }
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.set_http_response_header("x-checked", Some("yes"));
        Action::Continue
    }
}
