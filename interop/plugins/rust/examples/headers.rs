use proxy_wasm::traits::*;
use proxy_wasm::types::*;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_http_context(|context_id, _| -> Box<dyn HttpContext> { Box::new(Headers { context_id }) });
}}

/// Logs every request header, adds one, replaces one, removes one; marks the response.
struct Headers {
    context_id: u32,
}

impl Context for Headers {}

impl HttpContext for Headers {
    fn on_http_request_headers(&mut self, count: usize, _: bool) -> Action {
        for (name, value) in &self.get_http_request_headers() {
            log::info!("#{} -> {}: {}", self.context_id, name, value);
        }
        self.add_http_request_header("x-count", &count.to_string());
        self.set_http_request_header("User-Agent", Some("rust"));
        self.set_http_request_header("x-secret", None);
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.set_http_response_header("x-served-by", Some("rust"));
        Action::Continue
    }

    fn on_log(&mut self) {
        log::info!("#{} completed {:?}.", self.context_id, self.get_http_response_header(":status"));
    }
}
