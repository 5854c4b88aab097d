use proxy_wasm::traits::*;
use proxy_wasm::types::*;
use std::time::Duration;

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| -> Box<dyn HttpContext> { Box::new(Rates) });
}}

/// Asks a gRPC service about each request.
struct Rates;

impl HttpContext for Rates {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        self.dispatch_grpc_call(
            "backend",
            "rates.v1.Rates",
            "Allow",
            vec![("x-from", b"rust")],
            Some(b"\x0a\x01a"),
            Duration::from_secs(1),
        )
        .unwrap();
        Action::Pause
    }
}

impl Context for Rates {
    fn on_grpc_call_response(&mut self, _: u32, status: u32, size: usize) {
        if status != 0 {
            self.send_http_response(429, vec![], Some(format!("status {}", status).as_bytes()));
            return;
        }
        let body = self.get_grpc_call_response_body(0, size).unwrap_or_default();
        self.set_http_request_header("x-answer", Some(&String::from_utf8_lossy(&body)));
        self.resume_http_request();
    }
}
