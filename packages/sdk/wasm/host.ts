import {
  proxy_call_foreign_function,
  proxy_define_metric,
  proxy_get_header_map_value,
  proxy_get_property,
  proxy_increment_metric,
  proxy_log,
  proxy_record_metric,
  proxy_set_property,
} from "./env";
import { DATA_CELL, data, drop, put, RESULT_CELL, release, SIZE_CELL, size, takeText } from "./memory";
import { HeaderName, Property, StateName } from "./names";

/** The host of a root context: its id. */
export type RootHandle = u32;
/** The host of a stream context: its id. */
export type StreamHandle = u32;

const COUNTER: i32 = 0;
const GAUGE: i32 = 1;
const HISTOGRAM: i32 = 2;
const EXACT: f64 = 9007199254740992;

/** As in process. */
export class CounterHandle {
  private readonly id: i32;

  constructor(name: string, labels: string[], values: string[]) {
    this.id = defineMetric(COUNTER, name, labels, values);
  }

  add(n: f64): void {
    // The ABI refuses an increment of 0; the definition already made the series.
    const offset = <i64>unsigned(n);
    if (offset > 0) proxy_increment_metric(this.id, offset);
  }
}

/** As in process. */
export class GaugeHandle {
  private readonly id: i32;

  constructor(name: string, labels: string[], values: string[]) {
    this.id = defineMetric(GAUGE, name, labels, values);
  }

  set(value: f64): void {
    proxy_record_metric(this.id, unsigned(value));
  }
}

/** As in process. */
export class HistogramHandle {
  private readonly id: i32;

  constructor(name: string, labels: string[], values: string[]) {
    this.id = defineMetric(HISTOGRAM, name, labels, values);
  }

  record(value: f64): void {
    proxy_record_metric(this.id, unsigned(value));
  }
}

/** As in process. */
export class ExpressionHandle {
  private readonly token: u32;

  constructor(token: u32) {
    this.token = token;
  }

  evaluate(): string | null {
    store<u32>(RESULT_CELL, this.token);
    return callForeign("expr_evaluate", RESULT_CELL, 4) ? takeText() : null;
  }
}

/**
 * Null: it does not parse. Results are asked for as text: the ABI gives numbers as bytes without saying so.
 */
export function createExpression(text: string): ExpressionHandle | null {
  const plain = createToken(text);
  if (plain === 0) return null;
  const printed = createToken(`string(${text})`);
  return new ExpressionHandle(printed !== 0 ? printed : plain);
}

export function log(level: i32, message: string): void {
  const at = put(message);
  proxy_log(level, at, message.length);
  drop(at);
}

/** Whether the property is there; its value is the value of the last host call. */
export function readProperty(property: Property): boolean {
  return proxy_get_property(property.at, property.size, DATA_CELL, SIZE_CELL) === 0;
}

/** As {@link readProperty} for an entry of filter state. */
export function readState(name: StateName): boolean {
  return proxy_get_property(name.at, name.size, DATA_CELL, SIZE_CELL) === 0;
}

/** As {@link readProperty} for a header. */
export function readHeader(map: i32, name: HeaderName): boolean {
  return proxy_get_header_map_value(map, name.at, name.size, DATA_CELL, SIZE_CELL) === 0;
}

export function propertyText(property: Property): string | null {
  return readProperty(property) ? takeText() : null;
}

/** Integers have 8 bytes and booleans one; anything else is not a number. */
export function propertyNumber(property: Property, missing: f64): f64 {
  if (!readProperty(property)) return missing;
  let value = missing;
  if (size() === 8) value = <f64>load<i64>(data());
  else if (size() === 1) value = <f64>load<u8>(data());
  release();
  return value;
}

export function stateText(name: StateName): string | null {
  return readState(name) ? takeText() : null;
}

/** The ABI overwrites; here the first writer wins. */
export function setState(name: StateName, value: string): void {
  if (readState(name)) {
    release();
    return;
  }
  const at = put(value);
  proxy_set_property(name.at, name.size, at, value.length);
  drop(at);
}

/**
 * Labels travel in the name, as the proxies' tag extraction expects them. The separator cannot be part of a value.
 */
function defineMetric(type: i32, name: string, labels: string[], values: string[]): i32 {
  let full = "";
  for (let i = 0; i < labels.length; i++) full += `${labels[i]}=.=${values[i].split(";.;").join(";_;")};.;`;
  full += name;
  const at = put(full);
  proxy_define_metric(type, at, full.length, RESULT_CELL);
  drop(at);
  return load<i32>(RESULT_CELL);
}

function createToken(text: string): u32 {
  const at = put(text);
  const created = callForeign("expr_create", at, text.length);
  drop(at);
  if (!created) return 0;
  const token = size() === 4 ? load<u32>(data()) : 0;
  release();
  return token;
}

/** Function names are ASCII constants of this file; their bytes are made anew, since this is not a path of streams. */
function callForeign(name: string, argument: usize, argumentSize: i32): boolean {
  const bytes = String.UTF8.encode(name);
  return (
    proxy_call_foreign_function(
      changetype<usize>(bytes),
      bytes.byteLength,
      argument,
      argumentSize,
      DATA_CELL,
      SIZE_CELL,
    ) === 0
  );
}

function unsigned(value: f64): u64 {
  if (!(value > 0)) return 0;
  return <u64>(value < EXACT ? value : EXACT);
}
