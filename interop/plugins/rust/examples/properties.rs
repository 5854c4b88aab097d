use proxy_wasm::traits::*;
use proxy_wasm::types::*;

proxy_wasm::main! {{
    proxy_wasm::set_http_context(|_, _| -> Box<dyn HttpContext> { Box::new(Properties) });
}}

/// Reads properties of several kinds and leaves one behind.
struct Properties;

impl Context for Properties {}

impl HttpContext for Properties {
    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        let text = |path: Vec<&str>| self.get_property(path).map_or(String::from("none"), |bytes| String::from_utf8(bytes).unwrap());
        let code = self.get_property(vec!["response", "code"]).map_or(0, |bytes| {
            let mut number = [0u8; 8];
            number.copy_from_slice(&bytes);
            u64::from_le_bytes(number)
        });
        let summary = format!(
            "{} {} {} {} {}",
            text(vec!["node", "id"]),
            text(vec!["request", "path"]),
            code,
            text(vec!["metadata", "filter_metadata", "envoy.lb", "version"]),
            text(vec!["nothing", "here"]),
        );
        self.set_property(vec!["rust_was_here"], Some(summary.as_bytes()));
        let back = text(vec!["rust_was_here"]);
        self.add_http_response_header("x-properties", &back);
        Action::Continue
    }
}
