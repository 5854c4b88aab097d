use proxy_wasm::traits::*;
use proxy_wasm::types::*;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Trace);
    proxy_wasm::set_stream_context(|_, _| -> Box<dyn StreamContext> { Box::new(Shout { bytes: 0 }) });
}}

/// Upper-cases what goes up, waits for whole lines on the way down, counts.
struct Shout {
    bytes: usize,
}

impl Context for Shout {}

impl StreamContext for Shout {
    fn on_new_connection(&mut self) -> Action {
        log::info!("new connection");
        Action::Continue
    }

    fn on_downstream_data(&mut self, size: usize, _: bool) -> Action {
        self.bytes += size;
        let data = self.get_downstream_data(0, size).unwrap();
        self.set_downstream_data(0, size, &data.to_ascii_uppercase());
        Action::Continue
    }

    fn on_upstream_data(&mut self, size: usize, _: bool) -> Action {
        let data = self.get_upstream_data(0, size).unwrap();
        if data.ends_with(b"\n") { Action::Continue } else { Action::Pause }
    }

    fn on_downstream_close(&mut self, peer: PeerType) {
        log::info!("closed by {:?} after {} bytes", peer, self.bytes);
    }

    fn on_log(&mut self) {
        log::info!("done");
    }
}
