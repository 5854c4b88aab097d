use proxy_wasm::hostcalls;
use proxy_wasm::traits::*;
use proxy_wasm::types::*;

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root { requests: 0, open: 0, sizes: 0 }) });
}}

/// A counter with labels in its name, a gauge, a histogram.
struct Root {
    requests: u32,
    open: u32,
    sizes: u32,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        self.requests = hostcalls::define_metric(MetricType::Counter, "reporter=.=rust;.;plugin_requests_total").unwrap();
        self.open = hostcalls::define_metric(MetricType::Gauge, "plugin_open").unwrap();
        self.sizes = hostcalls::define_metric(MetricType::Histogram, "plugin_sizes").unwrap();
        true
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { requests: self.requests, open: self.open, sizes: self.sizes }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Stream {
    requests: u32,
    open: u32,
    sizes: u32,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_request_headers(&mut self, count: usize, _: bool) -> Action {
        hostcalls::increment_metric(self.requests, 1).unwrap();
        hostcalls::increment_metric(self.open, 1).unwrap();
        hostcalls::record_metric(self.sizes, count as u64).unwrap();
        let seen = hostcalls::get_metric(self.requests).unwrap();
        self.add_http_request_header("x-seen", &seen.to_string());
        Action::Continue
    }

    fn on_log(&mut self) {
        hostcalls::increment_metric(self.open, -1).unwrap();
    }
}
