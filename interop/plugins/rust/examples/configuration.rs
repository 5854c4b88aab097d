use proxy_wasm::traits::*;
use proxy_wasm::types::*;

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(Root { header: String::new() }) });
}}

/// The configuration is a header's value; the VM's configuration and the environment come along. "bad" is refused.
struct Root {
    header: String,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let own = self.get_plugin_configuration().map_or(String::from("none"), |bytes| String::from_utf8(bytes).unwrap());
        let vm = self.get_vm_configuration().map_or(String::from("none"), |bytes| String::from_utf8(bytes).unwrap());
        let env = std::env::var("COLOUR").unwrap_or(String::from("none"));
        let home = std::env::var("HOME").unwrap_or(String::from("none"));
        self.header = format!("{}/{}/{}/{}", own, vm, env, home);
        own != "bad"
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream { header: self.header.clone() }))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

struct Stream {
    header: String,
}

impl Context for Stream {}

impl HttpContext for Stream {
    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.add_http_response_header("x-configuration", &self.header);
        Action::Continue
    }
}
