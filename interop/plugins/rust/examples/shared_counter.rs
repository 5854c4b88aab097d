use proxy_wasm::traits::*;
use proxy_wasm::types::*;

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| -> Box<dyn HttpContext> { Box::new(Counter) });
}}

/// Counts requests in the shared data, with compare and swap.
struct Counter;

impl Context for Counter {}

impl HttpContext for Counter {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let (value, cas) = self.get_shared_data("requests");
        let count = value.map_or(0, |bytes| String::from_utf8(bytes).unwrap().parse::<u32>().unwrap()) + 1;
        self.set_shared_data("requests", Some(count.to_string().as_bytes()), cas).unwrap();
        let stale = match self.set_shared_data("requests", Some(b"0"), Some(999)) {
            Ok(()) => "stored",
            Err(Status::CasMismatch) => "mismatch",
            Err(_) => "other",
        };
        self.add_http_request_header("x-requests", &count.to_string());
        self.add_http_request_header("x-stale", stale);
        Action::Continue
    }
}
