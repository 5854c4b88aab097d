use proxy_wasm::traits::*;
use proxy_wasm::types::*;

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| -> Box<dyn HttpContext> { Box::new(Foreign) });
}}

/// Compresses, decompresses and asks for what isn't there.
struct Foreign;

impl Context for Foreign {}

impl HttpContext for Foreign {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let packed = self.call_foreign_function("compress", Some(&[b'x'; 2000])).unwrap().unwrap();
        let size = packed.len();
        let back = self.call_foreign_function("uncompress", Some(&packed)).unwrap().unwrap();
        let missing = match self.call_foreign_function("no_such_function", None) {
            Err(Status::NotFound) => "not found",
            _ => "other",
        };
        self.add_http_request_header("x-foreign", &format!("{} {} {}", size, back.len(), missing));
        Action::Continue
    }
}
