import { keep } from "./memory";

/** As in process; the bytes have a stable address, by which a host can recognise them. */
export class Property {
  readonly at: usize;
  readonly size: i32;

  constructor(path: string[]) {
    const joined = path.join("\0");
    this.at = keep(joined);
    this.size = joined.length;
  }
}

/** As in process. */
export class HeaderName {
  readonly name: string;
  readonly at: usize;
  readonly size: i32;

  constructor(name: string) {
    this.name = name.toLowerCase();
    this.at = keep(this.name);
    this.size = this.name.length;
  }
}

/** As in process. */
export class HeaderValue {
  readonly text: string;
  readonly at: usize;

  constructor(text: string) {
    this.text = text;
    this.at = keep(text);
  }
}

/** As in process. The ABI keeps it in filter state under the prefix `wasm.`. */
export class StateName {
  readonly name: string;
  readonly at: usize;
  readonly size: i32;

  constructor(name: string) {
    this.name = name;
    this.at = keep(name);
    this.size = name.length;
  }
}
