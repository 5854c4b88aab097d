use proxy_wasm::traits::*;
use proxy_wasm::types::*;

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| -> Box<dyn HttpContext> { Box::new(Frame) });
}}

/// Puts something in front of and behind each piece of the request's body, which flows.
struct Frame;

impl Context for Frame {}

impl HttpContext for Frame {
    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        self.set_http_request_body(0, 0, b"[");
        self.set_http_request_body(size + 1, 0, if end { b"]." } else { b"]" });
        Action::Continue
    }
}
