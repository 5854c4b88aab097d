export * from "@solo-io/proxy-runtime/proxy";

import {
  Context,
  FilterHeadersStatusValues,
  LogLevelValues,
  log,
  RootContext,
  registerRootContext,
  stream_context,
} from "@solo-io/proxy-runtime";

// Adds a header with the plugin's configuration to each response, and says so.
class AddHeaderRoot extends RootContext {
  createContext(context_id: u32): Context {
    return new AddHeader(context_id, this);
  }
}

class AddHeader extends Context {
  constructor(context_id: u32, root_context: AddHeaderRoot) {
    super(context_id, root_context);
  }

  onResponseHeaders(count: u32, end_of_stream: bool): FilterHeadersStatusValues {
    const root = this.root_context;
    if (root.getConfiguration() == "") stream_context.headers.response.add("hello", "world!");
    else stream_context.headers.response.add("hello", root.getConfiguration());
    log(LogLevelValues.info, "added to " + count.toString() + " headers");
    return FilterHeadersStatusValues.Continue;
  }
}

registerRootContext((context_id: u32) => {
  return new AddHeaderRoot(context_id);
}, "add_header");
