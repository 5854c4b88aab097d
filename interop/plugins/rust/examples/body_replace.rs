use proxy_wasm::traits::*;
use proxy_wasm::types::*;

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| -> Box<dyn HttpContext> { Box::new(Censor) });
}}

/// Holds the response back until its end; hides bodies that mention a secret.
struct Censor;

impl Context for Censor {}

impl HttpContext for Censor {
    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.set_http_response_header("content-length", None);
        Action::Continue
    }

    fn on_http_response_body(&mut self, body_size: usize, end_of_stream: bool) -> Action {
        if !end_of_stream {
            return Action::Pause;
        }
        if let Some(body) = self.get_http_response_body(0, body_size) {
            let text = String::from_utf8(body).unwrap();
            if text.contains("secret") {
                let replacement = format!("Original message body ({} bytes) redacted.\n", body_size);
                self.set_http_response_body(0, body_size, replacement.as_bytes());
            }
        }
        Action::Continue
    }
}
