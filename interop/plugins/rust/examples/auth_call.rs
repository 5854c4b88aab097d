use proxy_wasm::traits::*;
use proxy_wasm::types::*;
use std::time::Duration;

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| -> Box<dyn HttpContext> { Box::new(Auth) });
}}

/// Asks another service about each request and waits for its answer.
struct Auth;

impl HttpContext for Auth {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let path = self.get_http_request_header(":path").unwrap_or_default();
        match self.dispatch_http_call(
            "backend",
            vec![(":method", "GET"), (":path", path.as_str()), (":authority", "auth.example")],
            Some(b"question"),
            vec![],
            Duration::from_secs(5),
        ) {
            Ok(_) => Action::Pause,
            Err(status) => {
                self.send_http_response(500, vec![], Some(format!("{:?}", status).as_bytes()));
                Action::Pause
            }
        }
    }
}

impl Context for Auth {
    fn on_http_call_response(&mut self, _: u32, headers: usize, body_size: usize, _: usize) {
        if headers == 0 {
            self.send_http_response(503, vec![], Some(b"no answer"));
            return;
        }
        if let Some(body) = self.get_http_call_response_body(0, body_size) {
            if body == b"yes" {
                self.resume_http_request();
                return;
            }
        }
        let status = self.get_http_call_response_header(":status").unwrap_or_default();
        self.send_http_response(403, vec![("Powered-By", "proxy-wasm")], Some(status.as_bytes()));
    }
}
