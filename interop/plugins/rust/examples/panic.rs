use proxy_wasm::traits::*;
use proxy_wasm::types::*;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_http_context(|_, _| -> Box<dyn HttpContext> { Box::new(Panic) });
}}

/// Panics where the path says so.
struct Panic;

impl Context for Panic {}

impl HttpContext for Panic {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        match self.get_http_request_header(":path").as_deref() {
            Some("/panic") => panic!("as you wish"),
            Some("/loop") => loop {
                std::hint::spin_loop();
            },
            Some("/memory") => {
                let mut all: Vec<Vec<u8>> = Vec::new();
                loop {
                    all.push(Vec::with_capacity(1 << 24));
                }
            }
            _ => Action::Continue,
        }
    }
}
